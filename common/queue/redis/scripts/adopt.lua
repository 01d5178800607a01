#!lua flags=allow-oom
-- ADOPT: a terminal record exists; take over what it says, whatever the state was.
-- ARGV: 2 id, 3 state, 4 result pointer
-- -> 1, or 0 if the job is unknown
--#include core
--#include change
--#include ring
--#include index
local j = fetch(ARGV[2])
if not j then return 0 end
if j.st ~= ARGV[3] then
  j.res = ARGV[4]
  finish(j, ARGV[3])
end
return commit(1)
