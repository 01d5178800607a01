#!lua flags=allow-oom
-- RELEASE: the owner gives the job back unharmed (drain, preemption, upgrade): to the head of its
-- list, no counter moves.
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 checkpoint (empty: the known one), 6 its step
-- -> OK | REPEATED | CANCELED | FENCED
--#include core
--#include change
--#include ring
--#include index
local j = fetch(ARGV[2])
if j and j.back == ARGV[4] then return 'REPEATED' end
if not j or not is_owner(j, tonumber(ARGV[3]), ARGV[4]) then return 'FENCED' end
if j.st == 'CANCELED' then return 'CANCELED' end
if j.st ~= 'LEASED' then return 'FENCED' end
leave(j)
if ARGV[5] ~= '' then j.ck, j.cks = ARGV[5], tonumber(ARGV[6]) end
j.back, j.step = j.nonce, j.cks
ready(j)
return commit('OK')
