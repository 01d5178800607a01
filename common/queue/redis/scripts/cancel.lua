#!lua flags=allow-oom
-- CANCEL: ends a job whose terminal record says CANCELED.
-- ARGV: 2 id, 3 tenant key (empty: any)
-- -> the job's state afterwards, or false if there is no such job of the tenant
--#include core
--#include index
local id = ARGV[2]
local j = fetch(id, 'own')
if not j.st or (ARGV[3] ~= '' and ARGV[3] ~= j.t) then return false end
if j.st == 'QUEUED' or j.st == 'WAIT' or j.st == 'LEASED' or j.st == 'SEALING' then
  finish(id, j, 'CANCELED')
end
return j.st
