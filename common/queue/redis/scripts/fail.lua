#!lua flags=allow-oom
-- FAIL: the owner could not finish the job. Counts a try; a final failure or the last try seals
-- the job, otherwise it waits for the delay or goes back to the head of its list. A worker that
-- ends with the failure counts as a crash and not as a try (lib/sweep.lua).
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 retryable (1/0), 6 delay ms, 7 reason, 8 code, 9 lost (1/0)
-- -> REQUEUED | SEALED | REPEATED (this owner gave it back before) | FENCED
--#include core
--#include change
--#include ring
--#include index
--#include sweep
local j = fetch(ARGV[2])
if j and j.back == ARGV[4] then return 'REPEATED' end
if not j or j.st ~= 'LEASED' or not is_owner(j, tonumber(ARGV[3]), ARGV[4]) then return 'FENCED' end

j.back = j.nonce
if ARGV[9] == '1' then return commit(take_back(j, ARGV[7], ARGV[8]) and 'REQUEUED' or 'SEALED') end
j.tries = (j.tries or 0) + 1
local max = tonumber(call('HGET', P .. 'cfg', 'max_tries') or $(max_tries))
if ARGV[5] == '0' or j.tries >= max then
  seal(j, 'DEAD', ARGV[8], ARGV[7])
  return commit('SEALED')
end
leave(j)
j.why, j.code, j.step = ARGV[7], ARGV[8], j.cks
if ARGV[6] == '0' then
  ready(j)
else
  call('ZADD', P .. 'delay', NOW + ARGV[6], j.id)
  tally('depth:' .. j.m, 'wait', 1, j)
  if j.dl > 0 then call('ZADD', P .. 'due', j.dl, j.id) end
  j.own = nil
  enter(j, 'WAIT')
end
return commit('REQUEUED')
