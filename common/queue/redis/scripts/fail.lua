#!lua flags=allow-oom
-- FAIL: the owner could not finish the job. Counts a try; a final failure or the last try seals
-- the job, otherwise it waits for the delay or goes back to the head of its list. A worker that
-- ends with the failure counts as a crash and not as a try (lib/sweep.lua).
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 retryable (1/0), 6 delay ms, 7 reason, 8 code, 9 lost (1/0)
-- -> REQUEUED | SEALED | REPEATED (this owner gave it back before) | FENCED
--#include core
--#include index
--#include sweep
local id = ARGV[2]
local j = fetch(id, 'back', 'tries', 'crash', 'cn', 'node')
if j.back == ARGV[4] then return 'REPEATED' end
if j.st ~= 'LEASED' or not is_owner(j, ARGV[3], ARGV[4]) then return 'FENCED' end

if ARGV[9] == '1' then
  return take_back(id, j, ARGV[7], ARGV[8], 'back', j.nonce) and 'REQUEUED' or 'SEALED'
end
local tries = tonumber(j.tries or 0) + 1
local max = tonumber(call('HGET', P .. 'cfg', 'max_tries') or $(max_tries))
if ARGV[5] == '0' or tries >= max then
  seal(id, j, 'DEAD', ARGV[8], ARGV[7], 'tries', tries, 'back', j.nonce)
  return 'SEALED'
end
leave(id, j)
if ARGV[6] == '0' then
  ready(id, j, 'tries', tries, 'back', j.nonce, 'why', ARGV[7], 'code', ARGV[8],
        'step', j.cks)
else
  call('ZADD', P .. 'delay', NOW + ARGV[6], id)
  count('depth:' .. j.m, 'wait', '1', j)
  if j.dl ~= '0' then call('ZADD', P .. 'due', j.dl, id) end
  enter(id, j, 'WAIT', 'own', '', 'tries', tries, 'back', j.nonce, 'why', ARGV[7],
        'code', ARGV[8], 'step', j.cks)
end
return 'REQUEUED'
