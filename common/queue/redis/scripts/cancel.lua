#!lua flags=allow-oom
-- CANCEL: ends a job whose terminal record says CANCELED.
-- ARGV: 2 id, 3 tenant key (empty: any)
-- -> the job's state afterwards, or false if there is no such job of the tenant
--#include core
--#include change
--#include ring
--#include index
local j = fetch(ARGV[2])
if not j or (ARGV[3] ~= '' and ARGV[3] ~= j.t) then return false end
if LIVE[j.st] then finish(j, 'CANCELED') end
return commit(j.st)
