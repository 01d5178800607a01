#!lua flags=no-writes
-- STATS: depths by model and class, and totals. The age of the oldest ready job looks at the heads
-- of at most 64 tenants' lists per model and class.
-- -> {live, sealing, dead, paused, {model name, ready 0..3, running, delayed, oldest age ms}, ...,
--     the clock}
local core = require('core')
local keys = require('keys')
local record = require('record')
local call = core.call

local function oldest(model)
  local age = 0
  for class = 0, 3 do
    for _, tenant in ipairs(call('LRANGE', keys.ring(model, class), 0, 63)) do
      local id = call('LINDEX', keys.list(model, class, tenant), 0)
      local job = id and record.fetch(id)
      if job then age = math.max(age, core.now - job.enqueued) end
    end
  end
  return age
end

local reply = {call('ZCARD', keys.live), call('ZCARD', keys.seals), call('ZCARD', keys.dead),
               tonumber(call('HGET', keys.config, 'paused') or 0)}
local names = call('HGETALL', keys.models)
for i = 1, #names, 2 do
  local depth = call('HMGET', keys.depth(names[i]), 0, 1, 2, 3, 'run', 'wait')
  local row = {names[i + 1]}
  for k = 1, 6 do row[k + 1] = tonumber(depth[k] or 0) end
  row[8] = oldest(names[i])
  reply[#reply + 1] = row
end
reply[#reply + 1] = core.now
return reply
