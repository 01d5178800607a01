#!lua flags=no-writes
-- GET: one job with its place in its list (exact below 256, else the list's length) and its spec.
-- ARGV: 2 id
-- -> false, or the view's fields, position, spec
--#include core
--#include view
local row = view(ARGV[2])
if not row then return false end
local position = -1
if row[2] == 'QUEUED' then
  local q = P .. 'q:' .. row[5] .. ':' .. row[4] .. ':' .. row[7]
  position = call('LPOS', q, ARGV[2], 'MAXLEN', 256) or call('LLEN', q)
end
row[#row + 1] = position
row[#row + 1] = spec_of(fetch(ARGV[2]))
return row
