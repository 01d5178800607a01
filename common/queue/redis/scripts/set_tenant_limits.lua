#!lua flags=allow-oom
-- SET_TENANT_LIMITS: limits of one tenant, replacing what was set before (lib/caps.lua names the
-- fields).
-- ARGV: 2 tenant key, 3 open jobs, 4 running jobs, 5 weight (each empty: the default)
-- -> OK
--#include core
--#include change
--#include ring
for i, field in ipairs({'o', 'r', 'w'}) do
  local name = ARGV[2] .. ':' .. field
  if ARGV[2 + i] == '' then
    call('HDEL', P .. 'tl', name)
  else
    call('HSET', P .. 'tl', name, ARGV[2 + i])
  end
end
if unpark(ARGV[2]) then ring_all() end
return commit('OK')
