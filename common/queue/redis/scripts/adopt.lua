#!lua flags=allow-oom
-- ADOPT: a terminal record exists; take over what it says, whatever the state was.
-- ARGV: 2 id, 3 state, 4 result pointer
-- -> 1, or 0 if the job is unknown
--#include core
--#include index
local id = ARGV[2]
local j = fetch(id, 'own')
if not j.st then return 0 end
if j.st ~= ARGV[3] then finish(id, j, ARGV[3], 'res', ARGV[4]) end
return 1
