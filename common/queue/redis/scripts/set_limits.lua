#!lua flags=allow-oom
-- SET_LIMITS: writes the limits for all. Dead letters are looked at anew; so are, by UNPARK after it,
-- tenants that wait for their cap of running jobs.
-- ARGV: 2... field, value, field, value ...
-- -> OK
local call = require('core').call
local keys = require('keys')

call('HSET', keys.config, unpack(ARGV, 2))
local most = tonumber(call('HGET', keys.config, 'max_dead') or $(max_dead))
call('ZREMRANGEBYRANK', keys.dead, 0, -1 - most)
return 'OK'
