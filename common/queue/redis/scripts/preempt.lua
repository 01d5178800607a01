#!lua flags=allow-oom
-- PREEMPT: asks running jobs to make room for more urgent ones that wait too long and that the
-- same worker can run. The mark is the owner's epoch (preempted_epoch), so it ends with the owner;
-- RENEW answers it. A place that was asked for already counts for the job that waits, so there are
-- never more marks than such jobs, however many callers there are. A call looks at a bounded number
-- of lists and running jobs, and at nothing while no job is ready.
-- ARGV: 2 limit
-- -> {{id, worker, 0: marked now, 1: marked before}, ...}
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local room = require('tenant').room
local call = core.call

local limit = tonumber(ARGV[2])
local heads = 128  -- of lists that are still looked at
local LEASES = 128  -- those that end first; a renewed one goes behind the others, so all have their turn
local config = call('HMGET', keys.config, 'paused', 'preempt_after', 'preempt_floor',
                    'max_preemptions')
if config[1] == '1' then return {} end
local since = core.now - tonumber(config[2] or $(preempt_after))
local began_before = core.now - tonumber(config[3] or $(preempt_floor))
local most = tonumber(config[4] or $(max_preemptions))

local models = call('HKEYS', keys.models)
table.sort(models)

-- Whether any model has a ready job that may ask for room.
local function anybody_waits()
  local rings = {}
  for _, model in ipairs(models) do
    for class = 0, 2 do rings[#rings + 1] = keys.ring(model, class) end
  end
  for first = 1, #rings, 1000 do
    if call('EXISTS', unpack(rings, first, math.min(first + 999, #rings))) > 0 then return true end
  end
  return false
end
if not anybody_waits() then return {} end

local rooms = {}  -- tenant -> jobs that it may have running beyond those that do or will

-- The ready jobs that have waited too long, the most urgent class first: {class, model}.
local waiting = {}
local function find_waiting(model, class)
  for _, tenant in ipairs(call('LRANGE', keys.ring(model, class), 0, 63)) do
    if #waiting >= limit or heads <= 0 then return end
    rooms[tenant] = rooms[tenant] or room(tenant)
    local list = keys.list(model, class, tenant)
    for place = 0, limit - 1 do
      local id = heads > 0 and call('LINDEX', list, place)
      if not id then break end
      heads = heads - 1
      local job = record.fetch(id)
      if job and job.state == 'QUEUED' then
        if #waiting >= limit or rooms[tenant] <= 0 or job.enqueued > since then break end
        rooms[tenant] = rooms[tenant] - 1
        waiting[#waiting + 1] = {class = class, model = model}
      end
    end
  end
end

for class = 0, 2 do
  for _, model in ipairs(models) do
    if #waiting < limit and heads > 0 then find_waiting(model, class) end
  end
end
if #waiting == 0 then return {} end

-- The running jobs: the least urgent first, and of these the one that began last, for it has least
-- to lose.
local running = {}
local leased = call('ZRANGE', keys.leases, 0, LEASES - 1)
if #leased > 0 then record.read_all(leased) end
for _, id in ipairs(leased) do
  local job = record.fetch(id)
  if job and job.state == 'LEASED' then
    running[#running + 1] = {job = job, class = tonumber(job.class),
                             before = job.preempted_epoch == job.epoch}
  end
end
table.sort(running, function(a, b)
  if a.class ~= b.class then return a.class > b.class end
  if a.job.changed ~= b.job.changed then return a.job.changed > b.job.changed end
  return a.job.id < b.job.id
end)

local offered = {}  -- models of a worker as the record has them -> model -> whether it is among them
local function offers(served, model)
  local known = offered[served] or {}
  offered[served] = known
  if known[model] == nil then known[model] = served:find(' ' .. model .. ' ', 1, true) ~= nil end
  return known[model]
end

local function serves(victim, wait)
  local job = victim.job
  return victim.class > wait.class and
         (job.model == wait.model or (job.worker_models and offers(job.worker_models, wait.model)))
end

local function asked_before(wait)
  for _, victim in ipairs(running) do
    if victim.before and not victim.answered and serves(victim, wait) then
      victim.answered = true
      return true
    end
  end
end

local asked = {}
for _, wait in ipairs(waiting) do
  if not asked_before(wait) then
    for _, victim in ipairs(running) do
      local job = victim.job
      if not victim.before and not victim.now and job.changed <= began_before and
         job.preemptions < most and serves(victim, wait) then
        victim.now = true
        job.preempted_epoch, job.preemptions = job.epoch, job.preemptions + 1
        change.note(job)
        asked[#asked + 1] = {job.id, job.worker, 0}
        break
      end
    end
  end
end
for _, victim in ipairs(running) do
  if victim.before and #asked < limit then
    asked[#asked + 1] = {victim.job.id, victim.job.worker, 1}
  end
end
return change.commit(asked)
