#!lua flags=allow-oom
-- PREEMPT: asks running jobs to make room for more urgent ones that wait too long and that the
-- same worker can run. The mark is the owner's epoch (preempted_epoch), so it ends with the owner;
-- RENEW answers it. A place that was asked for already counts for the job that waits, so there are
-- never more marks than such jobs, however many callers there are. A call looks at a bounded number
-- of lists and running jobs; what it leaves is for the next one. It looks at nothing while no job is
-- ready.
-- ARGV: 2 limit
-- -> {{id, worker, 0: marked now, 1: marked before}, ...}
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local room = require('tenant').room
local call = core.call

local limit = tonumber(ARGV[2])
local heads = 64   -- of lists that are still looked at
local LEASES = 64  -- those that end first; a renewed one goes behind the others: each has its turn
local config = call('HMGET', keys.config, 'paused', 'preempt_after', 'preempt_floor',
                    'max_preemptions', 'preempt_from')
if config[1] == '1' then return {} end
local since = core.now - tonumber(config[2] or $(preempt_after))
local began_before = core.now - tonumber(config[3] or $(preempt_floor))
local most = tonumber(config[4] or $(max_preemptions))
local from = config[5] or ''  -- the ring that the last call did not come to

local models = call('HKEYS', keys.models)
table.sort(models)

-- The rings of jobs that may ask for room, the most urgent class first, from `from` on.
local function find_rings()
  local rings, first = {}, 1
  require('turn').each_filled(models, function(model, class)
    if class == 3 then return end
    rings[#rings + 1] = {model = model, class = class, name = model .. ':' .. class}
    if rings[#rings].name == from then first = #rings end
  end)
  for _ = 2, first do rings[#rings + 1] = table.remove(rings, 1) end
  return rings
end
local rings = find_rings()
if #rings == 0 then return {} end

local rooms = {}  -- tenant -> jobs that it may have running beyond those that do or will

-- The ready jobs that have waited too long, by class: models.
local waiting, found = {[0] = {}, {}, {}}, 0
local function find_waiting(model, class)
  for _, tenant in ipairs(call('LRANGE', keys.ring(model, class), 0, 63)) do
    if found >= limit or heads <= 0 then return end
    rooms[tenant] = rooms[tenant] or room(tenant)
    local list = keys.list(model, class, tenant)
    for place = 0, limit - 1 do
      local id = heads > 0 and call('LINDEX', list, place)
      if not id then break end
      heads = heads - 1
      local job = record.fetch(id)
      if job and job.state == 'QUEUED' then
        if found >= limit or rooms[tenant] <= 0 or job.enqueued > since then break end
        rooms[tenant] = rooms[tenant] - 1
        table.insert(waiting[class], model)
        found = found + 1
      end
    end
  end
end

local left  -- the first ring that this call did not come to for all that it looked at
for _, ring in ipairs(rings) do
  if heads <= 0 then left = ring.name end
  if found >= limit or heads <= 0 then break end
  find_waiting(ring.model, ring.class)
end
if (left or '') ~= from then call('HSET', keys.config, 'preempt_from', left or '') end
if found == 0 then return {} end

-- The running jobs: the least urgent first, and of these the one that began last, for it has least
-- to lose. Those that were asked before are among them wherever they stand.
local running, known = {}, {}
local function add_running(ids)
  if #ids > 0 then record.read_all(ids) end
  for _, id in ipairs(ids) do
    local job = record.fetch(id)
    local runs = job and job.state == 'LEASED'
    local before = runs and job.preempted_epoch == job.epoch
    if runs and not known[id] then
      running[#running + 1] = {job = job, class = tonumber(job.class), before = before}
    end
    known[id] = before and 'asked' or 'not asked'
  end
end
local asked_once = call('HKEYS', keys.asked)
add_running(asked_once)
for _, id in ipairs(asked_once) do
  if known[id] ~= 'asked' then call('HDEL', keys.asked, id) end
end
add_running(call('ZRANGE', keys.leases, 0, LEASES - 1))
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
local function ask_for(wait)
  if asked_before(wait) then return end
  for _, victim in ipairs(running) do
    local job = victim.job
    if not victim.before and not victim.now and job.changed <= began_before and
       job.preemptions < most and serves(victim, wait) then
      victim.now = true
      job.preempted_epoch, job.preemptions = job.epoch, job.preemptions + 1
      change.note(job)
      call('HSET', keys.asked, job.id, job.epoch)
      asked[#asked + 1] = {job.id, job.worker, 0}
      return
    end
  end
end
for class = 0, 2 do
  for _, model in ipairs(waiting[class]) do ask_for({class = class, model = model}) end
end
for _, victim in ipairs(running) do
  if victim.before and #asked < limit then
    asked[#asked + 1] = {victim.job.id, victim.job.worker, 1}
  end
end
return change.commit(asked)
