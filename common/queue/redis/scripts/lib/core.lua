-- Every script: KEYS[1] is the prefix of all keys (one hash tag, so one slot), ARGV[1] is added to
-- the clock (0 in production; tests move time with it). Times are milliseconds. A dollar
-- and a name in brackets: a default of QueueLimits (types.h) or a constant of order.h, put in by
-- the build.
local call = redis.call
local P = KEYS[1]
local TIME = call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000) + ARGV[1]
local STAMP = string.format('%d', NOW)  -- for commands: Redis formats a Lua number anew each time
--#include record
