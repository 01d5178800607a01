#!lua flags=allow-oom
-- COMPLETE: the owner has won or read the terminal record; the queue mirrors it.
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 result pointer
-- -> OK | REPEATED (the same owner completed it before) | CANCELED | FENCED
--#include core
--#include index
local id = ARGV[2]
local j = fetch(id, 'own')
if not is_owner(j, ARGV[3], ARGV[4]) then return 'FENCED' end
if j.st == 'DONE' then return 'REPEATED' end
if j.st == 'CANCELED' then return 'CANCELED' end
if j.st ~= 'LEASED' then return 'FENCED' end
finish(id, j, 'DONE', 'res', ARGV[5], 'why', '', 'code', '')
return 'OK'
