#!lua flags=allow-oom
-- SET_LIMITS: writes `cfg`, the limits for all. Tenants that wait for their cap of running jobs are
-- looked at anew, and so are the dead letters.
-- ARGV: 2... field, value, field, value ...
-- -> OK
--#include core
--#include change
--#include ring
call('HSET', P .. 'cfg', unpack(ARGV, 2))
for _, tenant in ipairs(call('HKEYS', P .. 'park')) do unpark(tenant) end
ring_all()
local cap = tonumber(call('HGET', P .. 'cfg', 'max_dead') or $(max_dead))
call('ZREMRANGEBYRANK', P .. 'dead', 0, -1 - cap)
return commit('OK')
