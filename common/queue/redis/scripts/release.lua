#!lua flags=allow-oom
-- RELEASE: the owner gives the job back unharmed (drain, preemption, upgrade): to the head of its
-- list, no counter moves.
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 checkpoint (empty: the known one), 6 its step
-- -> OK | REPEATED | CANCELED | FENCED
--#include core
--#include index
local id = ARGV[2]
local j = fetch(id, 'back')
if j.back == ARGV[4] then return 'REPEATED' end
if not is_owner(j, ARGV[3], ARGV[4]) then return 'FENCED' end
if j.st == 'CANCELED' then return 'CANCELED' end
if j.st ~= 'LEASED' then return 'FENCED' end
leave(id, j)
if ARGV[5] ~= '' then
  call('HSET', P .. 'j:' .. id, 'ck', ARGV[5], 'cks', ARGV[6])
  j.cks = ARGV[6]
end
ready(id, j, 'back', j.nonce, 'step', j.cks)
return 'OK'
