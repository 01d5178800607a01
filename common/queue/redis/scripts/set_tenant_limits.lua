#!lua flags=allow-oom
-- SET_TENANT_LIMITS: limits of one tenant, replacing what was set before (lib/keys.lua names the
-- fields).
-- ARGV: 2 tenant key, 3 open jobs, 4 running jobs, 5 weight, 6 pixel-steps, 7 bytes of prompts,
--       8 bytes of results a minute (each empty: the default)
-- -> OK
local call = require('core').call
local keys = require('keys')
local change = require('change')
local ring = require('ring')

local tenant = ARGV[2]
local limits = {o = ARGV[3], r = ARGV[4], w = ARGV[5], p = ARGV[6], t = ARGV[7], b = ARGV[8]}
for field, limit in pairs(limits) do
  if limit == '' then
    call('HDEL', keys.tenant_limits, tenant .. ':' .. field)
  else
    call('HSET', keys.tenant_limits, tenant .. ':' .. field, limit)
  end
end
if ring.unpark(tenant) then change.ring_all() end
return change.commit('OK')
