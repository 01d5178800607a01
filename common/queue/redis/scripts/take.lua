#!lua flags=allow-oom
-- TAKE: the next job for a worker, in the order that common/queue/order.h describes.
-- ARGV: 2 worker, 3 node key, 4 nonce, 5 lease ms, 6... model keys, warm ones first
-- -> {} (nothing for this worker, or the queue is paused), {'AGAIN'} (only stale entries seen so
--    far), or the grant:
--    {id, epoch, class, model key, model name, tenant key, tenant name, crashes, tries,
--     checkpoint step, checkpoint, solo, enqueued, deadline, lease ms, spec}
-- The same nonce while the grant is held gives the same grant: tk:<nonce> remembers it.
--#include core
--#include index
--#include sweep
local STRIDE = $(kStride)
local MAX_WAIT = $(kMaxWaitMs)
local worker, node, nonce, lease = ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local function grant(id)
  local reply = call('HMGET', P .. 'j:' .. id, 'ep', 'c', 'm', 'mn', 't', 'tname', 'crash', 'tries',
                     'cks', 'ck', 'solo', 'enq', 'dl', 'lease')
  table.insert(reply, 1, id)
  reply[#reply + 1] = call('GET', P .. 's:' .. id) or ''
  return reply
end

local held = call('GET', P .. 'tk:' .. nonce)
if held then
  local j = fetch(held)
  if j.st == 'LEASED' and j.nonce == nonce then return grant(held) end
end
sweep(32, 8, 32)

local function nothing()
  if call('INCR', P .. 'idle') > 256 then call('SET', P .. 'idle', 256) end
  return {}
end

local cfg = call('HMGET', P .. 'cfg', 'paused', 'max_running_per_tenant')
if cfg[1] == '1' then return nothing() end

local function head_wait(model, cls)
  local tenant = call('LINDEX', P .. 'ring:' .. model .. ':' .. cls, 0)
  local id = tenant and call('LINDEX', P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant, 0)
  local enq = id and call('HGET', P .. 'j:' .. id, 'enq')
  return enq and NOW - enq or 0
end

-- Class -> the models that have ready jobs in it, in the worker's order.
local function models_by_class()
  local with_jobs, any = {[0] = {}, {}, {}, {}}, false
  for i = 6, #ARGV do
    local counts = call('HMGET', P .. 'depth:' .. ARGV[i], 0, 1, 2, 3)
    for cls = 0, 3 do
      if tonumber(counts[cls + 1] or 0) > 0 then
        table.insert(with_jobs[cls], ARGV[i])
        any = true
      end
    end
  end
  return any and with_jobs
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
  local pass = call('HMGET', P .. 'pass', 'n', 'now', 'p0', 'p1', 'p2', 'p3')
  local n, now = tonumber(pass[1] or 0) + 1, tonumber(pass[2] or 0)
  if n % $(kAgedEvery) == 0 then
    local cls = overdue_class(with_jobs)
    if cls then return cls, {'n', n} end
  end
  local best, lowest
  for cls = 0, 3 do
    if #with_jobs[cls] > 0 then
      local effective = math.max(tonumber(pass[cls + 3] or 0), now)
      if not lowest or effective < lowest then best, lowest = cls, effective end
    end
  end
  if not best then return nil end
  return best, {'n', n, 'now', lowest, 'p' .. best, lowest + STRIDE[best]}
end

-- The first model, unless another was passed over too often or has waited too long. Drops those
-- from the list whose tenants are all parked.
local function pick_model(models, cls)
  if #models == 1 then return models[1] end
  for i = #models, 1, -1 do
    if call('EXISTS', P .. 'ring:' .. models[i] .. ':' .. cls) == 0 then table.remove(models, i) end
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
      call('HINCRBY', P .. 'pass', field, 1)
    end
  end
end

local budget = 256  -- list and ring entries that one script looks at

-- The tenant that has used least among the first of the ring; tenants at their cap of running jobs
-- are parked on the way -> tenant, its used, virtual time, weight.
local function pick_tenant(model, cls)
  local used = P .. 'dq:' .. model .. ':' .. cls
  while budget > 0 do
    local window = call('LRANGE', P .. 'ring:' .. model .. ':' .. cls, 0, $(kTenantWindow) - 1)
    if #window == 0 then return nil end
    local values = call('HMGET', used, '#v', unpack(window))
    local best, least
    for i = 1, #window do
      local value = tonumber(values[i + 1] or 0)
      if not least or value < least then best, least = i, value end
    end
    local tenant = window[best]
    local own = call('HMGET', P .. 'tl', tenant .. ':r', tenant .. ':w')
    local cap = tonumber(own[1] or cfg[2] or $(max_running_per_tenant))
    if cap >= 1e9 or tonumber(call('HGET', P .. 'tr', tenant) or 0) < cap then
      return tenant, least, tonumber(values[1] or 0), own[2] or 1
    end
    park(model, cls, tenant)
    budget = budget - 1
  end
end

local function lease_job(id, j)
  count('depth:' .. j.m, 'run', 1, j)
  count('tr', j.t, 1, j)
  call('ZADD', P .. 'lease', NOW + lease, id)
  call('SET', P .. 'tk:' .. nonce, id, 'PX', lease)
  j.ep = j.ep + 1
  j.own = worker
  local models = #ARGV > 6 and ' ' .. table.concat(ARGV, ' ', 6) .. ' ' or ''
  enter(id, j, 'LEASED', 'ep', j.ep, 'own', worker, 'node', node, 'nonce', nonce, 'lease', lease,
        'u', 0, 'tp', NOW, 'step', j.cks, 'wm', models)
end

-- Takes a model out of the choice: all its tenants in this class are parked.
local function exclude(with_jobs, cls, model)
  for i, name in ipairs(with_jobs[cls]) do
    if name == model then table.remove(with_jobs[cls], i) end
  end
  return 'stale'
end

local function try(with_jobs)
  local cls, charge = pick_class(with_jobs)
  if not cls then return nil end
  local model = pick_model(with_jobs[cls], cls)
  if not model then return 'stale' end
  local tenant, spent, virtual, weight = pick_tenant(model, cls)
  if not tenant then return budget > 0 and exclude(with_jobs, cls, model) or 'stale' end
  local ring, used = P .. 'ring:' .. model .. ':' .. cls, P .. 'dq:' .. model .. ':' .. cls
  local q = P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant
  local id, j
  repeat
    budget = budget - 1
    id = call('LPOP', q)
    j = id and fetch(id, 'cost')
  until not id or j.st == 'QUEUED' or budget <= 0
  local empty = call('EXISTS', q) == 0
  if empty then drop_tenant(model, cls, tenant) end
  if not id or j.st ~= 'QUEUED' then return 'stale' end
  count('depth:' .. model, cls, -1, j)
  if j.dl ~= '0' then
    call('ZREM', P .. 'due', id)
    if tonumber(j.dl) <= NOW then
      j.st = ''  -- it is in no index any more
      seal(id, j, 'EXPIRED', 'DEADLINE_EXCEEDED', 'the deadline passed before a worker was free')
      return 'stale'
    end
  end
  if call('EXISTS', used) == 1 then call('HSET', used, '#v', math.max(virtual, spent)) end
  if not empty then
    call('HSET', used, tenant, spent + math.floor(j.cost * $(kShareScale) / weight))
    call('LREM', ring, 1, tenant)
    call('RPUSH', ring, tenant)
  end
  call('HSET', P .. 'pass', unpack(charge))
  count_passed_over(with_jobs[cls], cls, model)
  lease_job(id, j)
  return id
end

local with_jobs = models_by_class()
if not with_jobs then return nothing() end
while budget > 0 do
  local id = try(with_jobs)
  if not id then return nothing() end
  if id ~= 'stale' then return grant(id) end
end
return {'AGAIN'}
