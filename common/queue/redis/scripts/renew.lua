#!lua flags=allow-oom
-- RENEW: extends a lease, forward only, while the owner makes progress.
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 lease ms, 6 stall ms, 7 units, 8 step, 9 phase,
--       10 checkpoint (empty: unchanged), 11 its step
-- -> OK | PREEMPTED (extended; PREEMPT chose this owner) | STALLED | CANCELED | FENCED
--#include core
local id = ARGV[2]
local j = fetch(id, 'u', 'tp', 'pm', 'ch')
if not is_owner(j, ARGV[3], ARGV[4]) then return 'FENCED' end
if j.st == 'CANCELED' then return 'CANCELED' end
if j.st ~= 'LEASED' then return 'FENCED' end

local key = P .. 'j:' .. id
call('HSET', key, 'ph', ARGV[9], 'step', ARGV[8])
if ARGV[10] ~= '' then call('HSET', key, 'ck', ARGV[10], 'cks', ARGV[11]) end
if tonumber(ARGV[7]) > tonumber(j.u or 0) then
  call('HSET', key, 'u', ARGV[7], 'tp', STAMP)
else
  local stall = tonumber(call('HGET', P .. 'cfg', 'stall') or $(stall))
  if NOW - (j.tp or j.ch) > math.max(stall, tonumber(ARGV[6])) then return 'STALLED' end
end
call('ZADD', P .. 'lease', 'GT', NOW + ARGV[5], id)
return j.pm == j.ep and 'PREEMPTED' or 'OK'
