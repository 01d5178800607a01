#!lua flags=allow-oom
-- RECOVER: moves what time alone moves (lib/sweep.lua) and forgets the oldest list entries whose
-- records have expired. Any number of callers may run it.
-- ARGV: 2 limit for each kind
-- -> jobs moved
--#include core
--#include index
--#include sweep
for _, id in ipairs(call('ZRANGE', P .. 'all', 0, ARGV[2] * 4 - 1)) do
  if call('EXISTS', P .. 'j:' .. id) == 1 then break end
  call('ZREM', P .. 'all', id)
  call('ZREM', P .. 'dead', id)
end
return (sweep(ARGV[2], ARGV[2], ARGV[2]))
