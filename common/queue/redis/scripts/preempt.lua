#!lua flags=allow-oom
-- PREEMPT: asks running jobs to make room for more urgent ones that wait too long and that the
-- same worker can run. The mark is the owner's epoch (preempted_epoch), so it ends with the owner;
-- RENEW answers it. A place that was asked for already counts for the job that waits, so there are
-- never more marks than such jobs, however many callers there are.
-- ARGV: 2 limit
-- -> {{id, worker, 0: marked now, 1: marked before}, ...}
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local room = require('tenant').room
local call = core.call

local limit = tonumber(ARGV[2])
local config = call('HMGET', keys.config, 'paused', 'preempt_after', 'preempt_floor',
                    'max_preemptions')
if config[1] == '1' then return {} end
local since = core.now - tonumber(config[2] or $(preempt_after))
local began_before = core.now - tonumber(config[3] or $(preempt_floor))
local most = tonumber(config[4] or $(max_preemptions))

local rooms = {}  -- tenant -> jobs that it may have running beyond those that do or will

-- The ready jobs that have waited too long, the most urgent class first: {class, model}.
local waiting = {}
local function find_waiting(model, class)
  for _, tenant in ipairs(call('LRANGE', keys.ring(model, class), 0, 63)) do
    if #waiting >= limit then return end
    rooms[tenant] = rooms[tenant] or room(tenant)
    for _, id in ipairs(call('LRANGE', keys.list(model, class, tenant), 0, limit - 1)) do
      local job = record.fetch(id)
      if job and job.state == 'QUEUED' then
        if #waiting >= limit or rooms[tenant] <= 0 or job.enqueued > since then break end
        rooms[tenant] = rooms[tenant] - 1
        waiting[#waiting + 1] = {class = class, model = model}
      end
    end
  end
end

local models = call('HKEYS', keys.models)
table.sort(models)
for class = 0, 2 do
  for _, model in ipairs(models) do find_waiting(model, class) end
end

-- The running jobs: the least urgent first, and of these the one that began last, for it has least
-- to lose.
local running = {}
for _, id in ipairs(call('ZRANGE', keys.leases, 0, 999)) do
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

local function serves(victim, wait)
  local job = victim.job
  return victim.class > wait.class and
         (job.model == wait.model or
          (job.worker_models and job.worker_models:find(' ' .. wait.model .. ' ', 1, true)))
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
      if not victim.before and not victim.now and serves(victim, wait) and
         job.changed <= began_before and job.preemptions < most then
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
