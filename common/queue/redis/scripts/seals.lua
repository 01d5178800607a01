#!lua flags=no-writes
-- SEALS: the jobs that wait for their terminal record, oldest first.
-- ARGV: 2 limit
-- -> {{id, wanted state, reason, code, epoch}, ...}
--#include core
local found = {}
for _, id in ipairs(call('ZRANGE', P .. 'seal', 0, ARGV[2] - 1)) do
  local j = call('HMGET', P .. 'j:' .. id, 'want', 'why', 'code', 'ep')
  found[#found + 1] = {id, j[1], j[2], j[3], j[4]}
end
return found
