#!lua flags=allow-oom
-- TAKE: the next jobs for workers that can run the same models, in the order that
-- common/queue/order.h describes. A worker may complete its last job with the same call.
-- ARGV: 2 number of models, then their keys, warm ones first; then for each worker:
--       worker, node key, nonce, lease ms; and of the job that it completes: id (empty: none),
--       epoch, nonce, result pointer
-- -> for each worker: {COMPLETE's answer} (nothing for it, or the queue is paused), {answer, 'AGAIN'}
--    (only stale entries seen so far), or with the grant: {answer, id, epoch, class, model key,
--     model name, tenant key, tenant name, crashes, tries, checkpoint step, checkpoint, solo,
--     enqueued, deadline, lease ms, spec}
-- The same nonce while the grant is held gives the same grant: `tk` remembers it.
--#include core
--#include change
--#include ring
--#include done
local STRIDE = $(kStride)
local MAX_WAIT = $(kMaxWaitMs)
local MODELS = {unpack(ARGV, 3, 2 + ARGV[2])}
local OFFERS = #MODELS > 1 and ' ' .. table.concat(MODELS, ' ') .. ' ' or nil

-- What is needed now and then only: to make functions takes a script longer than to run them.
local function upkeep()
--#include index
--#include sweep
  return {sweep = sweep, seal = seal}
end

local takers, nonces = {}, {}
local last = {}  -- jobs that they complete
for i = 3 + #MODELS, #ARGV, 8 do
  takers[#takers + 1] = {worker = ARGV[i], node = ARGV[i + 1], nonce = ARGV[i + 2],
                         lease = ARGV[i + 3], last = i + 4}
  nonces[#nonces + 1] = ARGV[i + 2]
  if ARGV[i + 4] ~= '' then last[#last + 1] = ARGV[i + 4] end
end
local waiting = #takers  -- of them, how many have no answer yet
local leases, tokens = {}, {}  -- what the grants add to `lease` and `tk`

local function grant(taker, j)
  return {taker.answer, j.id, j.ep, j.c, j.m, j.mn or false, j.t, j.tname or false, j.crash or 0,
          j.tries or 0, j.cks, j.ck or '', j.solo or 0, j.enq, j.dl, j.lease, spec_of(j)}
end

local cfg = call('HMGET', P .. 'cfg', 'paused', 'max_running_per_tenant', 'pass', 'audited')
audited = tonumber(cfg[4] or -1)

-- What the strides of the classes need: takes so far, virtual time, pass of each class; and when
-- the last sweep was.
local pass = {}
for number in (cfg[3] or '0 0 0 0 0 0 0'):gmatch('%d+') do pass[#pass + 1] = tonumber(number) end

-- List -> ids taken off it ahead of their turn, the next one last. What is left goes back.
local ahead = {}
local function next_id(q, wanted)
  local ids = ahead[q]
  if not ids or #ids == 0 then
    local popped = call('LPOP', q, wanted) or {}
    if #popped > 0 then read_all(popped) end
    ids = {}
    for n = #popped, 1, -1 do ids[#ids + 1] = popped[n] end
    ahead[q] = ids
  end
  return table.remove(ids)
end

-- Model and class -> the only tenant of its ring, until the ring changes.
local alone = {}
local function window_of(model, cls)
  local ring = model .. ':' .. cls
  local window = alone[ring] or call('LRANGE', P .. 'ring:' .. ring, '0', $(kTenantWindow) - 1)
  alone[ring] = #window == 1 and window or nil
  return window
end

local function head_wait(model, cls)
  local tenant = window_of(model, cls)[1]
  if not tenant then return 0 end
  local q = P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant
  local id = ahead[q] and ahead[q][#ahead[q]] or call('LINDEX', q, '0')
  local j = id and fetch(id)
  return j and NOW - j.enq or 0
end

local ready_jobs = {}  -- model -> class -> their count

-- Class -> the models that have ready jobs in it, in the worker's order.
local ready_models  -- nil: to be made anew
local function models_by_class()
  if ready_models then return ready_models end
  ready_models = {[0] = {}, {}, {}, {}}
  for _, model in ipairs(MODELS) do
    local counts = ready_jobs[model]
    for cls = 0, 3 do
      if counts[cls] and counts[cls] > 0 then table.insert(ready_models[cls], model) end
    end
  end
  return ready_models
end

-- `count` is false where all tenants turn out to be parked.
local function set_ready(model, cls, count)
  ready_jobs[model][cls] = count
  if not count or count <= 0 then ready_models = nil end
end

local function overdue_class(with_jobs)
  local overdue, most = nil, 0
  for cls = 1, 3 do
    for _, model in ipairs(with_jobs[cls]) do
      local late = head_wait(model, cls) - MAX_WAIT[cls]
      if late > most then overdue, most = cls, late end
    end
  end
  return overdue
end

-- Stride scheduling; every fourth take goes to an overdue class, free of charge -> class and, unless
-- it is free, the pass that it had.
local function pick_class(with_jobs)
  local now = pass[2]
  if (pass[1] + 1) % $(kAgedEvery) == 0 then
    local cls = overdue_class(with_jobs)
    if cls then return cls end
  end
  local best, lowest
  for cls = 0, 3 do
    if #with_jobs[cls] > 0 then
      local effective = math.max(pass[cls + 3], now)
      if not lowest or effective < lowest then best, lowest = cls, effective end
    end
  end
  return best, lowest
end

-- The first model, unless another was passed over too often or has waited too long. Drops those
-- from the list whose tenants are all parked.
local function pick_model(models, cls)
  if #models == 1 then return models[1] end
  for i = #models, 1, -1 do
    if call('EXISTS', P .. 'ring:' .. models[i] .. ':' .. cls) == 0 then
      set_ready(models[i], cls, false)
      table.remove(models, i)
    end
  end
  local chosen, most = 1, MAX_WAIT[cls] / 4
  for i = 2, #models do
    local over = tonumber(call('HGET', P .. 'skip', models[i] .. ':' .. cls) or 0)
    local wait = over >= $(kMaxPassedOver) and math.huge or head_wait(models[i], cls)
    if wait > most then chosen, most = i, wait end
  end
  return models[chosen]
end

local function count_passed_over(models, cls, served)
  if #models == 1 then return end
  for _, model in ipairs(models) do
    local field = model .. ':' .. cls
    if model == served then
      call('HDEL', P .. 'skip', field)
    else
      call('HINCRBY', P .. 'skip', field, '1')
    end
  end
end

-- Tenant -> {how many jobs it may have running, how many it has, weight}.
local tenants = {}
local function limits(tenant)
  if not tenants[tenant] then
    local own = call('HMGET', P .. 'tl', tenant .. ':r', tenant .. ':w')
    local cap = tonumber(own[1] or cfg[2] or $(max_running_per_tenant))
    local running = 0
    if cap < 1e9 then
      running = tonumber(call('HGET', P .. 'tr', tenant) or 0) + pending('tr', tenant)
    end
    tenants[tenant] = {cap = cap, running = running, weight = own[2] or 1}
  end
  return tenants[tenant]
end

local budget  -- list and ring entries that the script still looks at for a worker

-- The tenant that has used least among the first of the ring; tenants at their cap of running jobs
-- are parked on the way -> tenant and, unless it is alone, its used, the virtual time and whether
-- it is the ring's first.
local function pick_tenant(model, cls)
  local used = P .. 'dq:' .. model .. ':' .. cls
  while budget > 0 do
    local window = window_of(model, cls)
    if #window == 0 then return nil end
    local best, least, virtual = 1, nil, nil
    if #window > 1 then
      local values = call('HMGET', used, '#v', unpack(window))
      virtual = tonumber(values[1] or 0)
      for i = 1, #window do
        local value = tonumber(values[i + 1] or 0)
        if not least or value < least then best, least = i, value end
      end
    end
    local tenant = window[best]
    if limits(tenant).running < limits(tenant).cap then
      return tenant, least, virtual, best == 1
    end
    park(model, cls, tenant)
    alone = {}
    budget = budget - 1
  end
end

-- The turn of one tenant of several; `cost` is false when its list is empty now.
local function charge_tenant(model, cls, tenant, cost, spent, virtual, first)
  local ring, used = P .. 'ring:' .. model .. ':' .. cls, P .. 'dq:' .. model .. ':' .. cls
  local now = string.format('%d', math.max(virtual, spent))
  if cost then
    call('HSET', used, '#v', now, tenant, string.format('%d', spent + math.floor(cost)))
    if first then
      call('LMOVE', ring, ring, 'LEFT', 'RIGHT')
    else
      call('LREM', ring, '1', tenant)
      call('RPUSH', ring, tenant)
    end
  elseif call('EXISTS', used) == 1 then
    call('HSET', used, '#v', now)
  end
end

local function lease_job(j, taker)
  tally('depth:' .. j.m, 'run', 1, j)
  tally('tr', j.t, 1, j)
  limits(j.t).running = limits(j.t).running + 1
  leases[#leases + 1] = string.format('%d', NOW + taker.lease)
  leases[#leases + 1] = j.id
  tokens[#tokens + 1] = taker.nonce
  tokens[#tokens + 1] = j.id
  j.ep, j.own, j.node, j.wm = j.ep + 1, taker.worker, taker.node, OFFERS
  j.nonce, j.lease = taker.nonce, taker.lease
  j.ph, j.u, j.tp = nil, nil, nil  -- what the last owner left
  enter(j, 'LEASED')
end

local function try(taker)
  local with_jobs = models_by_class()
  local cls, lowest = pick_class(with_jobs)
  if not cls then return nil end
  local model = pick_model(with_jobs[cls], cls)
  if not model then return 'stale' end
  local tenant, spent, virtual, first = pick_tenant(model, cls)
  if not tenant then
    if budget > 0 then set_ready(model, cls, false) end
    return 'stale'
  end
  local q = P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant
  local id, j
  repeat
    budget = budget - 1
    id = next_id(q, spent and 1 or waiting)
    j = id and fetch(id)
  until not id or (j and j.st == 'QUEUED') or budget <= 0
  local empty = #ahead[q] == 0 and call('EXISTS', q) == 0
  if empty then
    drop_tenant(model, cls, tenant)
    alone = {}
  end
  if not j or j.st ~= 'QUEUED' then return 'stale' end
  tally('depth:' .. model, j.c, -1, j)
  set_ready(model, cls, ready_jobs[model][cls] - 1)
  if j.dl > 0 then
    call('ZREM', P .. 'due', id)
    if j.dl <= NOW then
      j.st = ''  -- it is in no index any more
      upkeep().seal(j, 'EXPIRED', 'DEADLINE_EXCEEDED', 'the deadline passed before a worker was free')
      return 'stale'
    end
  end
  if spent then
    local cost = j.cost * $(kShareScale) / limits(tenant).weight
    charge_tenant(model, cls, tenant, not empty and cost, spent, virtual, first)
  end
  pass[1] = pass[1] + 1
  if lowest then pass[2], pass[cls + 3] = lowest, lowest + STRIDE[cls] end
  count_passed_over(with_jobs[cls], cls, model)
  lease_job(j, taker)
  return j
end

local granted = {}  -- nonce -> grant
local in_vain = 0
local function take(taker)
  if granted[taker.nonce] then return granted[taker.nonce] end
  budget = cfg[1] == '1' and 0 or 256
  while budget > 0 do
    local j = try(taker)
    if not j then break end
    if j ~= 'stale' then
      granted[taker.nonce] = grant(taker, j)
      return granted[taker.nonce]
    end
    if budget <= 0 then return {taker.answer, 'AGAIN'} end
  end
  in_vain = in_vain + 1
  return {taker.answer}
end

if #last > 0 then read_records(last) end
for _, taker in ipairs(takers) do
  local i = taker.last
  taker.answer = ARGV[i] ~= '' and complete(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) or ''
end
leave_leases()

-- First the repeated calls, for a sweep might take their jobs back.
local replies = {}
local held = call('HMGET', P .. 'tk', unpack(nonces))
for n, taker in ipairs(takers) do
  local j = held[n] and fetch(held[n])
  if j and j.st == 'LEASED' and j.nonce == taker.nonce then
    replies[n] = grant(taker, j)
    waiting = waiting - 1
  else
    replies[n] = false
  end
end
if waiting == 0 then return commit(replies) end

local before = pass[1]
if NOW < pass[7] or NOW >= pass[7] + $(kSweepEvery) then
  local _, whole = upkeep().sweep($(kPromotionsPerTake), $(kRecoveriesPerTake), $(kExpiriesPerTake))
  pass[7] = whole and NOW or 0
end
local CLASSES = {[0] = '0', '1', '2', '3'}  -- fields of `depth`
for _, model in ipairs(MODELS) do
  local counter = 'depth:' .. model
  local counts = call('HMGET', P .. counter, '0', '1', '2', '3', 'run')
  local by_class, values = {}, {run = tonumber(counts[5] or 0)}
  for cls = 0, 3 do
    local field = CLASSES[cls]
    values[field] = tonumber(counts[cls + 1] or 0)
    by_class[cls] = values[field] + pending(counter, field)
  end
  ready_jobs[model], known[counter] = by_class, values
end
for n, taker in ipairs(takers) do
  if not replies[n] then
    replies[n] = take(taker)
    waiting = waiting - 1
  end
end
for q, ids in pairs(ahead) do
  if #ids > 0 then call('LPUSH', q, unpack(ids)) end
end
if #leases > 0 then
  call('ZADD', P .. 'lease', unpack(leases))
  call('HSET', P .. 'tk', unpack(tokens))
end
if pass[1] > before then
  call('HSET', P .. 'cfg', 'pass', string.format('%d %d %d %d %d %d %d', unpack(pass)))
end
if in_vain > 0 and call('INCRBY', P .. 'idle', in_vain) > 256 then call('SET', P .. 'idle', 256) end
return commit(replies)
