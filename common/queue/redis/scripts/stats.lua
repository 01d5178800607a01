#!lua flags=no-writes
-- STATS: totals, and depths by model and class of some of the models; the answer says where to go on.
-- The oldest ready job of a model is the one that AUDIT met last, or else stands at the head of one of
-- the first lists. Jobs of parked tenants are counted while there are few such tenants, and estimated
-- from some of them where there are many.
-- ARGV: 2 model to go on behind (empty: begin), 3 how many
-- -> {model to go on behind (empty: these were the last), live, sealing, dead, paused, ended, memory
--     used, memory limit, the clock, {model name, ready 0..3, blocked 0..3, running, delayed, cost,
--     oldest age ms}, ...}
local core = require('core')
local keys = require('keys')
local record = require('record')
local ring = require('ring')
local call = core.call

local SAMPLE = 200  -- parked tenants
local LISTS = 400   -- of theirs
local heads = 64    -- of lists that are still looked at

local of_all = call('HGETALL', keys.models)
local names, models = {}, {}  -- model -> name; those of this call in their order
local following = ''
for i = 1, #of_all, 2 do
  if of_all[i] > ARGV[2] then models[#models + 1] = of_all[i] end
  names[of_all[i]] = of_all[i + 1]
end
table.sort(models)
local count = math.min(#models, tonumber(ARGV[3]))
if count < #models then following = models[count] end
local here = {}
for n = 1, count do here[models[n]] = true end

-- '<model>:<class>' -> queued jobs of parked tenants
local function count_blocked()
  local found, lists, tenants = {}, 0, 0
  local parked = call('HLEN', keys.parked)
  if parked == 0 then return found end
  local some = call('HRANDFIELD', keys.parked, SAMPLE, 'WITHVALUES')
  for i = 1, #some, 2 do
    if lists > LISTS then break end
    tenants = tenants + 1
    for model, class in some[i + 1]:gmatch('(%S+):(%d)') do
      if here[model] then
        local place = model .. ':' .. class
        found[place] = (found[place] or 0) + call('LLEN', keys.list(model, class, some[i]))
        lists = lists + 1
      end
    end
  end
  for place, jobs in pairs(found) do found[place] = math.floor(jobs * parked / tenants) end
  return found
end

-- Model -> its oldest ready job when AUDIT came by.
local function read_oldest()
  local by_model, ids = {}, {}
  if count == 0 then return by_model end
  for n, id in ipairs(call('HMGET', keys.oldest, unpack(models, 1, count))) do
    by_model[models[n]] = id
    if id then ids[#ids + 1] = id end
  end
  if #ids > 0 then record.read_all(ids) end
  return by_model
end

local any_parked = call('EXISTS', keys.parked) == 1
local function is_ready(job)
  return job and job.state == 'QUEUED' and
         not (any_parked and ring.is_parked(job.model, job.class, job.tenant))
end

local function oldest_head(model, tenants)
  local age = 0
  for class = 0, 3 do
    for _, tenant in ipairs(call('LRANGE', keys.ring(model, class), 0, tenants - 1)) do
      if heads <= 0 then return age end
      heads = heads - 1
      local id = call('LINDEX', keys.list(model, class, tenant), 0)
      local job = id and record.fetch(id)
      if job then age = math.max(age, core.now - job.enqueued) end
    end
  end
  return age
end

local info = call('INFO', 'memory')
local reply = {following, call('ZCARD', keys.live), call('ZCARD', keys.seals),
               call('ZCARD', keys.dead), tonumber(call('HGET', keys.config, 'paused') or 0),
               call('ZCARD', keys.ended), tonumber(info:match('used_memory:(%d+)')),
               tonumber(info:match('maxmemory:(%d+)')), core.now}
local blocked, oldest = count_blocked(), read_oldest()
local of_each = math.max(1, math.min(64, math.floor(2 * heads / count)))  -- tenants of a class

local function row_of(model, name)
  local depth = call('HMGET', keys.depth(model), 0, 1, 2, 3, 'run', 'wait', 'cost')
  local row, ready = {name}, 0
  for class = 0, 3 do
    local queued = tonumber(depth[class + 1] or 0)
    local parked = math.min(queued, blocked[model .. ':' .. class] or 0)
    row[2 + class], row[6 + class] = queued - parked, parked
    ready = ready + queued - parked
  end
  for n = 5, 7 do row[5 + n] = tonumber(depth[n] or 0) end
  row[13] = 0
  if ready > 0 then
    local job = oldest[model] and record.fetch(oldest[model])
    row[13] = is_ready(job) and core.now - job.enqueued or oldest_head(model, of_each)
  end
  return row
end

for n = 1, count do reply[#reply + 1] = row_of(models[n], names[models[n]]) end
return reply
