#!lua flags=allow-oom
-- RENEW: extends a lease, forward only, while the owner makes progress.
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 lease ms, 6 stall ms, 7 units, 8 step, 9 phase,
--       10 checkpoint (empty: unchanged), 11 its step
-- -> OK | PREEMPTED (extended; PREEMPT chose this owner) | STALLED | CANCELED | FENCED
--#include core
--#include change
local j = fetch(ARGV[2])
if not j or not is_owner(j, tonumber(ARGV[3]), ARGV[4]) then return 'FENCED' end
if j.st == 'CANCELED' then return 'CANCELED' end
if j.st ~= 'LEASED' then return 'FENCED' end

local units, before = tonumber(ARGV[7]), j.u or 0
j.ph, j.step = ARGV[9], tonumber(ARGV[8])
if ARGV[10] ~= '' then j.ck, j.cks = ARGV[10], tonumber(ARGV[11]) end
changed[j.id] = j
if units > before then
  j.u, j.tp = units, NOW
else
  local stall = tonumber(call('HGET', P .. 'cfg', 'stall') or $(stall))
  if NOW - (j.tp or j.ch) > math.max(stall, tonumber(ARGV[6])) then return commit('STALLED') end
end
call('ZADD', P .. 'lease', 'GT', NOW + ARGV[5], j.id)
return commit(j.pm == j.ep and 'PREEMPTED' or 'OK')
