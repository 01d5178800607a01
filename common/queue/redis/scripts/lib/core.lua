-- Every script: KEYS[1] is the prefix of all keys (one hash tag, so one slot), ARGV[1] is added to
-- the clock (0 in production; tests move time with it). Times are milliseconds. A dollar and a
-- name in brackets: a default of QueueLimits (types.h), a constant of order.h or a table of
-- job_fields.h, put in by the build (cmake/EmbedLua.cmake), as are the libraries that `require`
-- names.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]

local TEXTS = {[-1] = '-1', [0] = '0', [1] = '1'}

-- For commands: Redis formats a Lua number in its own way, and anew each time.
local function text(number)
  return TEXTS[number] or string.format('%d', number)
end

return {call = redis.call, prefix = KEYS[1], now = now, now_text = text(now), text = text}
