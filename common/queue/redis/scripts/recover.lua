#!lua flags=allow-oom
-- RECOVER: moves what time alone moves (lib/sweep.lua) and forgets the jobs that ended long
-- enough ago. Any number of callers may run it.
-- ARGV: 2 limit for each kind
-- -> jobs moved
--#include core
--#include change
--#include ring
--#include index
--#include sweep
local old = due('gone', ARGV[2])
if #old > 0 then
  local records = {}
  for n, id in ipairs(old) do
    records[2 * n - 1], records[2 * n] = P .. 'j:' .. id, P .. 's:' .. id
  end
  call('DEL', unpack(records))
  for _, index in ipairs({'all', 'dead', 'gone'}) do call('ZREM', P .. index, unpack(old)) end
end
return commit((sweep(ARGV[2], ARGV[2], ARGV[2])))
