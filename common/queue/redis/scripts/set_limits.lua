#!lua flags=allow-oom
-- SET_LIMITS: writes the limits for all. Tenants that wait for their cap of running jobs are looked
-- at anew, and so are the dead letters.
-- ARGV: 2... field, value, field, value ...
-- -> OK
local call = require('core').call
local keys = require('keys')
local change = require('change')
local ring = require('ring')

call('HSET', keys.config, unpack(ARGV, 2))
for _, tenant in ipairs(call('HKEYS', keys.parked)) do ring.unpark(tenant) end
change.ring_all()
local most = tonumber(call('HGET', keys.config, 'max_dead') or $(max_dead))
call('ZREMRANGEBYRANK', keys.dead, 0, -1 - most)
return change.commit('OK')
