#!lua flags=allow-oom
-- TAKE: the next jobs for workers that can run the same models, in the order that
-- common/queue/order.h describes. A worker may complete its last job with the same call.
-- ARGV: 2 number of models, then their keys, warm ones first; then for each worker:
--       worker, node key, nonce, lease ms; and of the job that it completes: id (empty: none),
--       epoch, nonce, result pointer
-- -> for each worker: {COMPLETE's answer} (nothing for it, or the queue is paused),
--    {answer, 'AGAIN'} (only stale entries seen so far), or with the grant: {answer, kGrantFields
--    of job_fields.h, spec}. The answer is empty where nothing was completed.
-- The same nonce while the grant is held gives the same grant: `tk` remembers it.
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local stride = require('stride')
local ring = require('ring')
local index = require('index')
local tenant_limits = require('tenant')
local call = core.call

local MAX_WAIT = $(kMaxWaitMs)
local GRANT = $(kGrantFields)
local MODELS = {unpack(ARGV, 3, 2 + ARGV[2])}
local ARGUMENTS = 8

local function read_takers()
  local served = #MODELS > 1 and ' ' .. table.concat(MODELS, ' ') .. ' '
  local takers = {}
  for i = 3 + #MODELS, #ARGV, ARGUMENTS do
    local worker, node, nonce, lease, id, epoch, last_nonce, result =
        unpack(ARGV, i, i + ARGUMENTS - 1)
    takers[#takers + 1] = {
      worker = worker, node = node, nonce = nonce, lease = tonumber(lease), models = served,
      last = id ~= '' and {id = id, epoch = epoch, nonce = last_nonce, result = result},
      answer = '',
    }
  end
  return takers
end

local function grant_of(job, taker)
  local row = {taker.answer}
  for n, name in ipairs(GRANT) do row[n + 1] = job[name] end
  row[#row + 1] = record.spec_of(job)
  return row
end

-- Class -> the models that have jobs in it which may be taken, in the workers' order. A paused
-- queue has none.
local candidates = {[0] = {}, {}, {}, {}}
local function find_candidates()
  for class = 0, 3 do
    local models = candidates[class]
    for _, model in ipairs(MODELS) do
      if not ring.is_empty(model, class) then models[#models + 1] = model end
    end
  end
end

-- After something has left the ring of the model and class.
local function look_again(model, class)
  if not ring.is_empty(model, class) then return end
  for n, candidate in ipairs(candidates[class]) do
    if candidate == model then return table.remove(candidates[class], n) end
  end
end

local function has_candidates(class)
  return #candidates[class] > 0
end

local function head_wait(model, class)
  local id = ring.head(model, class)
  local job = id and record.fetch(id)
  return job and core.now - job.enqueued or 0
end

local function overdue_class()
  local overdue, most = nil, 0
  for class = 1, 3 do
    for _, model in ipairs(candidates[class]) do
      local late = head_wait(model, class) - MAX_WAIT[class]
      if late > most then overdue, most = class, late end
    end
  end
  return overdue
end

-- -> class, and whether it is served because it is overdue
local function choose_class()
  local overdue = stride.is_aged_turn() and overdue_class()
  if overdue then return overdue, true end
  return stride.pick(has_candidates), false
end

-- The warmest model, unless another was passed over too often or has waited too long.
local function choose_model(class)
  local models = candidates[class]
  local chosen, most = 1, MAX_WAIT[class] / 4
  for n = 2, #models do
    local times = tonumber(call('HGET', keys.passed_over, models[n] .. ':' .. class) or 0)
    local wait = times >= $(kMaxPassedOver) and math.huge or head_wait(models[n], class)
    if wait > most then chosen, most = n, wait end
  end
  return models[chosen]
end

local function count_passed_over(class, served)
  if #MODELS == 1 then return end
  for _, model in ipairs(candidates[class]) do
    local field = model .. ':' .. class
    if model == served then
      call('HDEL', keys.passed_over, field)
    else
      call('HINCRBY', keys.passed_over, field, 1)
    end
  end
end

local budget = 256  -- entries of lists and rings that the script still looks at in vain

-- The tenant whose turn it is. Those at their cap of running jobs are parked on the way.
local function choose_tenant(model, class)
  while budget > 0 do
    local tenant = ring.next_tenant(model, class)
    if not tenant or tenant_limits.room(tenant) > 0 then return tenant end
    ring.park(model, class, tenant)
    budget = budget - 1
  end
end

-- The tenant's first job that is ready and in time. What stands before it goes.
local function first_job(model, class, tenant)
  local list = keys.list(model, class, tenant)
  while budget > 0 do
    local id = call('LINDEX', list, 0)
    local job = id and record.fetch(id)
    if not id then
      ring.drop(model, class, tenant)
      return nil
    elseif not job or job.state ~= 'QUEUED' then
      call('LPOP', list)
    elseif job.deadline > 0 and job.deadline <= core.now then
      require('sweep').expire(job)
      return nil  -- the tenant may have gone with it
    else
      return job
    end
    budget = budget - 1
  end
end

-- The next job by class, model and tenant, or nil: there is none, or the budget is spent.
local function choose()
  while budget > 0 do
    local class, aged = choose_class()
    if not class then return nil end
    local model = choose_model(class)
    local tenant = choose_tenant(model, class)
    local job = tenant and first_job(model, class, tenant)
    if job then return job, aged end
    budget = budget - 1
    look_again(model, class)
  end
end

local function grant(job, aged, taker)
  local model, class = job.model, tonumber(job.class)
  local share = job.cost * $(kShareScale) / tenant_limits.weight(job.tenant)
  ring.charge(model, class, job.tenant, math.floor(share))
  stride.charge(class, aged)
  count_passed_over(class, model)
  index.lease(job, taker)
  look_again(model, class)
  return grant_of(job, taker)
end

local granted = {}  -- nonce -> grant, for workers that ask twice in one call
local in_vain = 0   -- workers that got nothing
local function take(taker)
  if granted[taker.nonce] then return granted[taker.nonce] end
  local job, aged = choose()
  if job then
    granted[taker.nonce] = grant(job, aged, taker)
    return granted[taker.nonce]
  end
  if budget <= 0 then return {taker.answer, 'AGAIN'} end
  in_vain = in_vain + 1
  return {taker.answer}
end

-- The grant that the nonce still holds: of a call whose reply was lost.
local function repeated(taker)
  local id = call('HGET', keys.nonces, taker.nonce)
  local job = id and record.fetch(id)
  if job and job.state == 'LEASED' and job.nonce == taker.nonce then return grant_of(job, taker) end
end

-- Moves what time moves, not with every take.
local function keep_up(swept)
  if core.now >= swept and core.now < swept + $(kSweepEvery) then return end
  local _, more = require('sweep').sweep($(kPromotionsPerTake), $(kRecoveriesPerTake),
                                         $(kExpiriesPerTake))
  call('HSET', keys.config, 'swept', more and 0 or core.now_text)
end

local takers = read_takers()
for _, taker in ipairs(takers) do
  local last = taker.last
  if last then
    taker.answer = require('done').complete(last.id, last.epoch, last.nonce, last.result)
  end
end

-- First the repeated calls, for a sweep might take their jobs back.
local replies, new = {}, 0
for n, taker in ipairs(takers) do
  replies[n] = repeated(taker) or false
  if not replies[n] then new = new + 1 end
end
if new == 0 then return change.commit(replies) end

local config = call('HMGET', keys.config, 'paused', 'pass', 'swept')
keep_up(tonumber(config[3] or 0))
stride.load(config[2])
if config[1] ~= '1' then find_candidates() end
for n, taker in ipairs(takers) do replies[n] = replies[n] or take(taker) end
if next(granted) then stride.save() end
if in_vain > 0 and call('INCRBY', keys.idle, in_vain) > 256 then call('SET', keys.idle, 256) end
return change.commit(replies)
