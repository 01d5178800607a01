#!lua flags=no-writes
-- STATS: depths by model and class, and totals. The age of the oldest ready job looks at the heads
-- of at most 64 tenants' lists per model and class.
-- -> {live, sealing, dead, paused, {model name, ready 0..3, running, delayed, oldest age ms}, ...}
--#include core
local function oldest(model)
  local age = 0
  for cls = 0, 3 do
    for _, tenant in ipairs(call('LRANGE', P .. 'ring:' .. model .. ':' .. cls, 0, 63)) do
      local id = call('LINDEX', P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant, 0)
      local j = id and fetch(id)
      if j then age = math.max(age, NOW - j.enq) end
    end
  end
  return age
end

local reply = {call('ZCARD', P .. 'live'), call('ZCARD', P .. 'seal'), call('ZCARD', P .. 'dead'),
               tonumber(call('HGET', P .. 'cfg', 'paused') or 0)}
local names = call('HGETALL', P .. 'models')
for i = 1, #names, 2 do
  local d = call('HMGET', P .. 'depth:' .. names[i], 0, 1, 2, 3, 'run', 'wait')
  local row = {names[i + 1]}
  for k = 1, 6 do row[k + 1] = tonumber(d[k] or 0) end
  row[8] = oldest(names[i])
  reply[#reply + 1] = row
end
return reply
