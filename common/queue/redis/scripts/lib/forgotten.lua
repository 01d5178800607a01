-- Whether the queue may have known a job that it does not know. Two things make it forget: FORGET,
-- which marks here what it lets go, and a Redis that comes back from older data, which shows in
-- its run or in its place among replicas, and which nothing here can tell more about.
--
-- The marks are Bloom filters: they may take a job for a marked one, which then costs a question to
-- the store, and never the other way round. Each layer has room for twice the jobs of the one
-- before it, at one wrong answer in 400. The last one (of 8 MiB, after some 4 million jobs) takes
-- in more than it has room for, so that in the end the store is asked about every key.
local core = require('core')
local keys = require('keys')
local call = core.call

local FIRST = 2 ^ 19  -- bits of the first layer
local EACH = 16       -- bits for each job; 4 of them are its own
local LAST = 7        -- layer, from 0

local function layer_key(n)
  return keys.forgotten .. core.text(n)
end

-- The layer that takes in the next one after `count` jobs.
local function layer_at(count)
  local n, room = 0, FIRST / EACH
  while count >= room and n < LAST do
    n, count, room = n + 1, count - room, 2 * room
  end
  return n
end

local function count()
  return tonumber(call('HGET', keys.config, 'forgotten') or 0)
end

-- Words of BITFIELD that do something to each bit of the job.
local function bits(digest, n, verb, value)
  local words, size = {}, FIRST * 2 ^ n
  for at = 1, 25, 8 do
    words[#words + 1], words[#words + 2] = verb, 'u1'
    words[#words + 1] = core.text(tonumber(digest:sub(at, at + 7), 16) % size)
    words[#words + 1] = value
  end
  return unpack(words)
end

local function mark(ids)
  local n = layer_at(count())
  for _, id in ipairs(ids) do
    call('BITFIELD', layer_key(n), bits(redis.sha1hex(id), n, 'SET', '1'))
  end
  call('HINCRBY', keys.config, 'forgotten', #ids)
end

local function is_marked(id)
  local digest = redis.sha1hex(id)
  for n = 0, layer_at(count()) do
    local set = 0
    for _, bit in ipairs(call('BITFIELD_RO', layer_key(n), bits(digest, n, 'GET'))) do
      set = set + bit
    end
    if set == 4 then return true end
  end
  return false
end

-- Whether this is still the Redis in which the fleet began, when there was no record in its store
-- (FleetCheck in fleet_check.cc; Footing::instance in server_facts.cc).
local whole
local function is_whole()
  if whole == nil then
    local began_in = call('HGET', keys.fleet, 'whole')
    whole = false
    if began_in then
      local info = call('INFO', 'server', 'replication', 'stats')
      local now = (info:match('run_id:(%w+)') or '') .. '/' .. (info:match('master_replid:(%w+)') or '')
      whole = now == began_in and info:match('evicted_keys:(%d+)') == '0'
    end
  end
  return whole
end

-- The queue does not know the job, and has never known it.
local function never_known(id)
  return is_whole() and not is_marked(id)
end

return {mark = mark, never_known = never_known}
