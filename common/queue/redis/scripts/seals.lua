#!lua flags=no-writes
-- SEALS: the jobs that wait for their terminal record, oldest first.
-- ARGV: 2 limit
-- -> {{id, wanted state, reason, code, epoch}, ...}
--#include core
local found = {}
for _, id in ipairs(call('ZRANGE', P .. 'seal', 0, ARGV[2] - 1)) do
  local j = fetch(id)
  if j then found[#found + 1] = {id, j.want, j.why, j.code, j.ep} end
end
return found
