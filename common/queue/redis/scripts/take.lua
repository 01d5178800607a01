#!lua flags=allow-oom
-- TAKE: the next jobs for workers that can run the same models, in the order that
-- common/queue/order.h describes.
-- ARGV: 2 number of models, then their keys, warm ones first; then for each worker:
--       worker, node key, nonce, lease ms
-- -> for each worker: {} (nothing for it, or the queue is paused), {'AGAIN'} (only stale entries seen
--    so far), or the grant:
--    {id, epoch, class, model key, model name, tenant key, tenant name, crashes, tries,
--     checkpoint step, checkpoint, solo, enqueued, deadline, lease ms, spec}
-- The same nonce while the grant is held gives the same grant: tk:<nonce> remembers it.
--#include core
--#include index
--#include sweep
local STRIDE = $(kStride)
local MAX_WAIT = $(kMaxWaitMs)
local SWEEP_EVERY = 20  -- ms
local MODELS = {unpack(ARGV, 3, 2 + ARGV[2])}
local OFFERS = #MODELS > 1 and ' ' .. table.concat(MODELS, ' ') .. ' ' or ''
local leases = {}  -- lease end, id, ...; written at the end

-- The whole record: a job that waits has few fields.
local function read(id)
  local fields = call('HGETALL', P .. 'j:' .. id)
  local j = {v = 1, ep = '0', cks = '0'}
  for i = 1, #fields, 2 do j[fields[i]] = fields[i + 1] end
  return split(j, j.i, j.k)
end

local function grant(id, j)
  return {id, j.ep, j.c, j.m, j.mn or false, j.t, j.tname or false, j.crash or 0, j.tries or 0,
          j.cks, j.ck or '', j.solo or 0, j.enq, j.dl, j.lease, call('GET', P .. 's:' .. id) or ''}
end

local cfg = call('HMGET', P .. 'cfg', 'paused', 'max_running_per_tenant')

-- What the strides of the classes need, in one field: takes so far, virtual time, pass of each
-- class; and when the last sweep was.
local pass = {}
for number in (call('HGET', P .. 'pass', 'p') or '0 0 0 0 0 0 0'):gmatch('%d+') do
  pass[#pass + 1] = tonumber(number)
end
local function head_wait(model, cls)
  local tenant = call('LINDEX', P .. 'ring:' .. model .. ':' .. cls, '0')
  local id = tenant and call('LINDEX', P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant, '0')
  local k = id and call('HGET', P .. 'j:' .. id, 'k')
  return k and NOW - k:match('%d+$') or 0
end

-- Model -> class -> ready jobs. False where all tenants turn out to be parked.
local ready_jobs = {}
local function count_ready()
  for _, model in ipairs(MODELS) do
    local counts = call('HMGET', P .. 'depth:' .. model, '0', '1', '2', '3')
    local by_class = {}
    for cls = 0, 3 do by_class[cls] = tonumber(counts[cls + 1] or 0) end
    ready_jobs[model] = by_class
  end
end

-- Class -> the models that have ready jobs in it, in the worker's order.
local function models_by_class()
  local with_jobs = {[0] = {}, {}, {}, {}}
  for _, model in ipairs(MODELS) do
    local counts = ready_jobs[model]
    for cls = 0, 3 do
      if counts[cls] and counts[cls] > 0 then table.insert(with_jobs[cls], model) end
    end
  end
  return with_jobs
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

-- Stride scheduling; every fourth take goes to an overdue class, free of charge.
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

local function charge_class(cls, lowest)
  pass[1] = pass[1] + 1
  if lowest then pass[2], pass[cls + 3] = lowest, lowest + STRIDE[cls] end
end

-- The first model, unless another was passed over too often or has waited too long. Drops those
-- from the list whose tenants are all parked.
local function pick_model(models, cls)
  if #models == 1 then return models[1] end
  for i = #models, 1, -1 do
    if call('EXISTS', P .. 'ring:' .. models[i] .. ':' .. cls) == 0 then
      ready_jobs[models[i]][cls] = false
      table.remove(models, i)
    end
  end
  local chosen, most = 1, MAX_WAIT[cls] / 4
  for i = 2, #models do
    local over = tonumber(call('HGET', P .. 'pass', 's:' .. models[i] .. ':' .. cls) or 0)
    local wait = over >= $(kMaxPassedOver) and math.huge or head_wait(models[i], cls)
    if wait > most then chosen, most = i, wait end
  end
  return models[chosen]
end

local function count_passed_over(models, cls, served)
  if #models == 1 then return end
  for _, model in ipairs(models) do
    local field = 's:' .. model .. ':' .. cls
    if model == served then
      call('HDEL', P .. 'pass', field)
    else
      call('HINCRBY', P .. 'pass', field, '1')
    end
  end
end

-- Tenant -> {how many jobs it may have running, how many it has, weight}.
local tenants = {}
local function limits(tenant)
  if not tenants[tenant] then
    local own = call('HMGET', P .. 'tl', tenant .. ':r', tenant .. ':w')
    local cap = tonumber(own[1] or cfg[2] or $(max_running_per_tenant))
    local running = cap < 1e9 and tonumber(call('HGET', P .. 'tr', tenant) or 0) or 0
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
    local window = call('LRANGE', P .. 'ring:' .. model .. ':' .. cls, '0', $(kTenantWindow) - 1)
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

local function lease_job(id, j, taker)
  tally('depth:' .. j.m, 'run', 1, j)
  tally('tr', j.t, 1, j)
  limits(j.t).running = limits(j.t).running + 1
  leases[#leases + 1] = string.format('%d', NOW + taker.lease)
  leases[#leases + 1] = id
  call('SET', P .. 'tk:' .. taker.nonce, id, 'PX', taker.lease)
  local extra = OFFERS == '' and {} or {'wm', OFFERS}
  if j.ep ~= '0' then  -- what the last owner left
    extra = {'ph', '', 'u', '0', 'tp', STAMP, 'wm', OFFERS}
  end
  j.ep, j.own, j.lease, j.nonce = string.format('%d', j.ep + 1), taker.worker, taker.lease, taker.nonce
  enter(id, j, 'LEASED', 'ep', j.ep, 'own', j.own, 'node', taker.node, 'nonce', j.nonce,
        'lease', j.lease, unpack(extra))
end

local function try(taker)
  local with_jobs = models_by_class()
  local cls, lowest = pick_class(with_jobs)
  if not cls then return nil end
  local model = pick_model(with_jobs[cls], cls)
  if not model then return 'stale' end
  local tenant, spent, virtual, first = pick_tenant(model, cls)
  if not tenant then
    if budget > 0 then ready_jobs[model][cls] = false end
    return 'stale'
  end
  local q = P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant
  local id, j
  repeat
    budget = budget - 1
    id = call('LPOP', q)
    j = id and read(id)
  until not id or j.st == 'QUEUED' or budget <= 0
  local empty = call('EXISTS', q) == 0
  if empty then drop_tenant(model, cls, tenant) end
  if not id or j.st ~= 'QUEUED' then return 'stale' end
  tally('depth:' .. model, cls, -1, j)
  ready_jobs[model][cls] = ready_jobs[model][cls] - 1
  if j.dl ~= '0' then
    call('ZREM', P .. 'due', id)
    if tonumber(j.dl) <= NOW then
      j.st = ''  -- it is in no index any more
      seal(id, j, 'EXPIRED', 'DEADLINE_EXCEEDED', 'the deadline passed before a worker was free')
      return 'stale'
    end
  end
  if spent then
    local cost = j.cost * $(kShareScale) / limits(tenant).weight
    charge_tenant(model, cls, tenant, not empty and cost, spent, virtual, first)
  end
  charge_class(cls, lowest)
  count_passed_over(with_jobs[cls], cls, model)
  lease_job(id, j, taker)
  return id, j
end

-- The grant that the same call has got before.
local function repeated(nonce)
  local held = call('GET', P .. 'tk:' .. nonce)
  local j = held and read(held)
  if j and j.st == 'LEASED' and j.nonce == nonce then return grant(held, j) end
end

local in_vain = 0
local granted = {}  -- nonce -> grant
local function take(taker)
  if granted[taker.nonce] then return granted[taker.nonce] end
  budget = cfg[1] == '1' and 0 or 256
  while budget > 0 do
    local id, j = try(taker)
    if not id then break end
    if id ~= 'stale' then
      granted[taker.nonce] = grant(id, j)
      return granted[taker.nonce]
    end
    if budget <= 0 then return {'AGAIN'} end
  end
  in_vain = in_vain + 1
  return {}
end

local takers, replies = {}, {}
for i = 3 + #MODELS, #ARGV, 4 do
  takers[#takers + 1] = {worker = ARGV[i], node = ARGV[i + 1], nonce = ARGV[i + 2],
                         lease = ARGV[i + 3]}
end
-- First the repeated calls, for a sweep might take their jobs back.
local fresh = 0
for n, taker in ipairs(takers) do
  replies[n] = repeated(taker.nonce) or false
  if not replies[n] then fresh = fresh + 1 end
end
if fresh == 0 then return replies end
local before = pass[1]
if NOW < pass[7] or NOW >= pass[7] + SWEEP_EVERY then
  local _, whole = sweep(32, 8, 32)
  pass[7] = whole and NOW or 0
end
count_ready()
for n, taker in ipairs(takers) do replies[n] = replies[n] or take(taker) end
settle()
if #leases > 0 then call('ZADD', P .. 'lease', unpack(leases)) end
if pass[1] > before then
  call('HSET', P .. 'pass', 'p', string.format('%d %d %d %d %d %d %d', unpack(pass)))
end
if in_vain > 0 and call('INCRBY', P .. 'idle', in_vain) > 256 then call('SET', P .. 'idle', 256) end
return replies
