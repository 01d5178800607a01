#!lua flags=allow-oom
-- TAKE: the next jobs for workers that can run the same models, in the order that
-- common/queue/order.h describes. A worker may complete its last job with the same call.
-- ARGV: 2 number of models, then their keys, warm ones first; then for each worker:
--       worker, node key, nonce, lease ms; and of the job that it completes: id (empty: none),
--       epoch, nonce, result pointer
-- -> for each worker: {COMPLETE's answer} (nothing for it, or the queue is paused),
--    {answer, 'AGAIN'} (there was too much to look at for one run), or with the grant: {answer, kGrantFields
--    of job_fields.h, spec}. The answer is empty where nothing was completed.
-- The same nonce while the grant is held gives the same grant: `tk` remembers it.
local core = require('core')
local keys = require('keys')
local call = core.call

local MAX_WAIT = $(kMaxWaitMs)
local GRANT = $(kGrantFields)
local MODELS = {unpack(ARGV, 3, 2 + ARGV[2])}
local ARGUMENTS = 8

local function read_takers()
  local served = #MODELS > 1 and ' ' .. table.concat(MODELS, ' ') .. ' '
  local takers, completes = {}, false
  for i = 3 + #MODELS, #ARGV, ARGUMENTS do
    local worker, node, nonce, lease, id, epoch, last_nonce, result =
        unpack(ARGV, i, i + ARGUMENTS - 1)
    takers[#takers + 1] = {
      worker = worker, node = node, nonce = nonce, lease = tonumber(lease), models = served,
      last = id ~= '' and {id = id, epoch = epoch, nonce = last_nonce, result = result},
      answer = '',
    }
    completes = completes or id ~= ''
  end
  return takers, completes
end

local takers, completes = read_takers()
local config = call('HMGET', keys.config, 'paused', 'pass', 'swept')

local function sweep_is_due()
  local swept = tonumber(config[3] or 0)
  return core.now < swept or core.now >= swept + $(kSweepEvery)
end

local function is_anything_ready()
  if config[1] == '1' then return false end
  local rings = {}
  for _, model in ipairs(MODELS) do
    for class = 0, 3 do rings[#rings + 1] = keys.ring(model, class) end
  end
  return call('EXISTS', unpack(rings)) > 0
end

-- The job that each taker's nonce holds, or false; and whether any does.
local function find_held()
  local nonces, any = {}, false
  for n, taker in ipairs(takers) do nonces[n] = taker.nonce end
  local held = call('HMGET', keys.nonces, unpack(nonces))
  for n = 1, #held do any = any or held[n] end
  return held, any
end

-- So many workers found nothing: each leaves a token that wakes one for a job.
local function note_idle(workers)
  if call('INCRBY', keys.idle, workers) > 256 then call('SET', keys.idle, 256) end
end

-- Nothing to complete, sweep, grant or repeat, as for most takes of an idle fleet: they are answered
-- before the rest of this script is made, which would cost several times as much.
local function are_all_in_vain()
  if completes or sweep_is_due() or is_anything_ready() then return false end
  local _, any = find_held()
  return not any
end

if are_all_in_vain() then
  local replies = {}
  for n = 1, #takers do replies[n] = {''} end
  note_idle(#takers)
  do return replies end
end

local record = require('record')
local change = require('change')
local stride = require('stride')
local turn = require('turn')
local tenant_limits = require('tenant')
local lease = require('lease').lease

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
  turn.each_filled(MODELS, function(model, class)
    local models = candidates[class]
    models[#models + 1] = model
  end)
end

local heads  -- the library, where it is needed
local function waits(class, models, first)
  heads = heads or require('heads')
  return heads.waits(class, models, first)
end

-- After something has left the list of a model and class, and maybe with it the ring.
local function look_again(class, model, ring_too)
  if heads then heads.look_again(class, model) end
  if not ring_too or not require('ring').is_empty(model, class) then return end
  for n, candidate in ipairs(candidates[class]) do
    if candidate == model then return table.remove(candidates[class], n) end
  end
end

local function has_candidates(class)
  return #candidates[class] > 0
end

local function overdue_class()
  local overdue, most = nil, 0
  for class = 1, 3 do
    local models = candidates[class]
    local wait = #models > 0 and waits(class, models, 1)
    for _, model in ipairs(models) do
      local late = wait[model] - MAX_WAIT[class]
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
  if #models == 1 then return models[1] end
  local wait = waits(class, models, 2)
  local passed_over = require('passed').times(class)
  local chosen, most = 1, MAX_WAIT[class] / 4
  for n = 2, #models do
    local model = models[n]
    local often = (passed_over[model] or 0) >= $(kMaxPassedOver)
    local claim = often and math.huge or wait[model]
    if claim > most then chosen, most = n, claim end
  end
  return models[chosen]
end

-- Of work: 1 for an entry that was looked at in vain, 6 for a worker and a part for each model.
local budget = 256

-- The tenant whose turn it is, and whether it is alone. Those at their cap of running jobs are
-- parked on the way.
local function choose_tenant(model, class)
  while budget > 0 do
    local tenant, alone = turn.next_tenant(model, class)
    if not tenant or tenant_limits.room(tenant) > 0 then return tenant, alone end
    require('ring').park(model, class, tenant)
    budget = budget - 1
  end
end

-- The tenant's first job that is ready and in time, and whether it is its last. What stands before
-- it goes.
local function first_job(model, class, tenant)
  local list = keys.list(model, class, tenant)
  while budget > 0 do
    local ids = call('LRANGE', list, '0', '1')
    if #ids == 0 then
      require('ring').drop(model, class, tenant)
      return nil
    end
    record.read_all({ids[1]})
    local job = record.fetch(ids[1])
    if not job or job.state ~= 'QUEUED' then
      call('LPOP', list)
    elseif job.deadline > 0 and job.deadline <= core.now then
      require('sweep').expire(job)
      return nil  -- the tenant may have gone with it
    else
      return job, #ids == 1
    end
    budget = budget - 1
  end
end

-- What is to be granted by class, model and tenant: the job, whether its class is overdue, its
-- tenant alone and it the tenant's last. Nil: there is none, or the budget is spent.
local function choose()
  while budget > 0 do
    local class, aged = choose_class()
    if not class then return nil end
    local model = choose_model(class)
    local tenant, alone = choose_tenant(model, class)
    if tenant then
      local job, is_last = first_job(model, class, tenant)
      if job then return {job = job, aged = aged, alone = alone, is_last = is_last} end
    end
    budget = budget - 1
    look_again(class, model, true)
  end
end

local function grant(choice, taker)
  local job = choice.job
  local model, class, tenant = job.model, tonumber(job.class), job.tenant
  if not choice.alone then
    local share = job.cost * $(kShareScale) / tenant_limits.weight(tenant)
    turn.charge(model, class, tenant, math.floor(share))
  end
  stride.charge(class, choice.aged)
  if #MODELS > 1 then require('passed').count(candidates[class], class, model) end
  lease(job, choice.is_last, taker)
  look_again(class, model, choice.is_last)
  return grant_of(job, taker)
end

local granted = {}  -- nonce -> grant, for workers that ask twice in one call
local in_vain = 0   -- workers that got nothing
local function take(taker)
  if granted[taker.nonce] then return granted[taker.nonce] end
  budget = budget - 6 - #MODELS / 8
  local choice = choose()
  if choice then
    granted[taker.nonce] = grant(choice, taker)
    return granted[taker.nonce]
  end
  if budget <= 0 then return {taker.answer, 'AGAIN'} end
  in_vain = in_vain + 1
  return {taker.answer}
end

-- The grant that the nonce still holds, as `tk` has it: of a call whose reply was lost.
local function repeated(taker, id)
  local job = id and record.fetch(id)
  if job and job.state == 'LEASED' and job.nonce == taker.nonce then return grant_of(job, taker) end
end

-- Moves what time moves, not with every take.
local function keep_up()
  local _, more = require('sweep').sweep($(kPromotionsPerTake), $(kRecoveriesPerTake),
                                         $(kExpiriesPerTake))
  call('HSET', keys.config, 'swept', more and 0 or core.now_text)
end

for _, taker in ipairs(takers) do
  local last = taker.last
  if last then
    taker.answer = require('done').complete(last.id, last.epoch, last.nonce, last.result)
  end
end

-- First the repeated calls, for a sweep might take their jobs back.
local replies, new = {}, 0
local held = find_held()
for n, taker in ipairs(takers) do
  replies[n] = repeated(taker, held[n]) or false
  if not replies[n] then new = new + 1 end
end
if new == 0 then return change.commit(replies) end

if sweep_is_due() then keep_up() end
stride.load(config[2])
if config[1] ~= '1' then find_candidates() end
for n, taker in ipairs(takers) do replies[n] = replies[n] or take(taker) end
if next(granted) then
  stride.save()
  if #MODELS > 1 then require('passed').save() end
end
if in_vain > 0 then note_idle(in_vain) end
return change.commit(replies)
