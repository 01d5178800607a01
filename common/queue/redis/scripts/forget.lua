#!lua flags=allow-oom
-- FORGET: lets go jobs that ended: those whose time is over, then the oldest where there are more
-- than cfg.max_ended, or where Redis uses more than cfg.ended_memory_percent of its maxmemory.
-- ARGV: 2 limit
-- -> jobs forgotten
local core = require('core')
local keys = require('keys')
local call = core.call

local limit = tonumber(ARGV[2])
local oldest = call('ZRANGE', keys.ended, 0, limit - 1, 'WITHSCORES')
if #oldest == 0 then return 0 end

local function memory_is_short(percent)
  local info = call('INFO', 'memory')
  local used, most = info:match('used_memory:(%d+)'), tonumber(info:match('maxmemory:(%d+)'))
  return most > 0 and used / most > percent / 100
end

local config = call('HMGET', keys.config, 'max_ended', 'ended_memory_percent')
local surplus = call('ZCARD', keys.ended) - (config[1] or $(max_ended))
if surplus < limit and memory_is_short(config[2] or $(ended_memory_percent)) then surplus = limit end

local ids, strings = {}, {}
for i = 1, #oldest, 2 do
  local id, time = oldest[i], tonumber(oldest[i + 1])
  if time > core.now and #ids >= surplus then break end
  ids[#ids + 1] = id
  strings[#strings + 1], strings[#strings + 2] = keys.record .. id, keys.submission .. id
end
if #ids == 0 then return 0 end
require('forgotten').mark(ids)
call('DEL', unpack(strings))
for _, set in ipairs({keys.all, keys.dead, keys.ended}) do call('ZREM', set, unpack(ids)) end
return #ids
