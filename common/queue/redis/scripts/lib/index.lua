-- The transitions. A job that is not terminal is in `live` and in exactly the index that its
-- state names; `leave` takes it out of that one, the others put it into the next.
--
--   j:<id>             HASH  the job; s:<id> its spec
--   q:<m>:<c>:<t>      LIST  ready jobs of a model, class and tenant, the next one at the head
--   ring:<m>:<c>       LIST  tenants with such a list, but for the parked ones
--   dq:<m>:<c>         HASH  tenant -> what it has used; #v the virtual time (order.h)
--   park               HASH  tenant at its cap of running jobs -> ' m:c m:c ', its rings
--   lease delay seal   ZSET  id -> when the lease or delay is over, when sealed
--   due                ZSET  id -> deadline, of jobs that wait
--   live all           ZSET  id -> sequence number of the submit; dead: of the death
--   depth:<m>          HASH  class, 'run', 'wait' -> jobs;  tn, tr HASH tenant -> open, running
--   aud audn           HASH  the audit's round and its sums (audit.lua)
local LIVE = {QUEUED = true, WAIT = true, LEASED = true, SEALING = true}

-- Moves a counter. The audit's sums cover the jobs up to a sequence number and move along, so that
-- they are exact when its walk ends.
local audited
local function count(counter, field, by, j)
  local value = call('HINCRBY', P .. counter, field, by)
  audited = audited or tonumber(call('HGET', P .. 'aud', 'pos') or -1)
  if audited >= 0 and (tonumber(j.sq) or 0) <= audited then
    call('HINCRBY', P .. 'audn', counter .. ' ' .. field, by)
  end
  return value
end

local function count_tenant(counter, by, j)
  if count(counter, j.t, by, j) <= 0 then call('HDEL', P .. counter, j.t) end
end

-- Sets the state, counts the version and tells the listeners (the format is event_codec.h's).
local function enter(id, j, st, ...)
  j.v = (j.v or 0) + 1
  j.st = st
  call('HSET', P .. 'j:' .. id, 'st', st, 'ch', NOW, 'v', j.v, 'ph', '', ...)
  local own = j.own or ''
  call('PUBLISH', P .. 'ev', '1 ' .. id .. ' ' .. j.v .. ' ' .. j.ep .. ' ' .. st .. ' - ' ..
       j.cks .. ' 0 0 0 ' .. #own .. ' 0\n' .. own)
end

-- A worker that found nothing has left a token in `idle`; each job that becomes ready turns one
-- into a ring of the bell.
local function ring_bell()
  local idle = call('GET', P .. 'idle')
  if not idle or idle == '0' then return end
  call('DECR', P .. 'idle')
  if call('RPUSH', P .. 'bell', 1) > 256 then call('LPOP', P .. 'bell') end
end

-- Wakes all who wait.
local function ring_all()
  for _ = 1, tonumber(call('GET', P .. 'idle') or 0) do ring_bell() end
end

-- The last job of the tenant has left the list of this model and class.
local function drop_tenant(m, c, t)
  local used = P .. 'dq:' .. m .. ':' .. c
  if call('LREM', P .. 'ring:' .. m .. ':' .. c, 1, t) == 0 then
    local rings = call('HGET', P .. 'park', t)
    if rings then
      rings = rings:gsub(' ' .. m:gsub('%p', '%%%0') .. ':' .. c .. ' ', ' ', 1)
      if rings == ' ' then call('HDEL', P .. 'park', t) else call('HSET', P .. 'park', t, rings) end
    end
  end
  call('HDEL', used, t)
  if call('HLEN', used) == 1 and call('HEXISTS', used, '#v') == 1 then call('DEL', used) end
end

-- A tenant at its cap leaves the rings, so that nobody looks at it in vain, and comes back when one
-- of its jobs is given up or the limits change. Being parked earns no credit.
local function park(m, c, t)
  call('LREM', P .. 'ring:' .. m .. ':' .. c, 1, t)
  call('HSET', P .. 'park', t, (call('HGET', P .. 'park', t) or ' ') .. m .. ':' .. c .. ' ')
end

local function unpark(t)
  local rings = call('HGET', P .. 'park', t)
  if not rings then return false end
  call('HDEL', P .. 'park', t)
  for m, c in rings:gmatch('(%S+):(%d)') do
    local used = P .. 'dq:' .. m .. ':' .. c
    local now = tonumber(call('HGET', used, '#v') or 0)
    call('HSET', used, t, math.max(now, tonumber(call('HGET', used, t) or 0)))
    call('RPUSH', P .. 'ring:' .. m .. ':' .. c, t)
  end
  return true
end

local function is_stale(id)
  return id and call('HGET', P .. 'j:' .. id, 'st') ~= 'QUEUED'
end

-- Exact in a short list. In a long one the entry stays, to be dropped by TAKE, and stale entries
-- at both ends go now: enough that submitting and cancelling for ever does not grow the list.
local function leave_list(id, j)
  local q = P .. 'q:' .. j.m .. ':' .. j.c .. ':' .. j.t
  if call('LLEN', q) <= 1024 then
    call('LREM', q, 1, id)
  else
    call('HSET', P .. 'j:' .. id, 'st', '')
    for _ = 1, 8 do
      if is_stale(call('LINDEX', q, 0)) then call('LPOP', q) end
      if is_stale(call('LINDEX', q, -1)) then call('RPOP', q) end
    end
  end
  if call('EXISTS', q) == 0 then drop_tenant(j.m, j.c, j.t) end
end

local function leave(id, j)
  if j.st == 'QUEUED' then
    leave_list(id, j)
    count('depth:' .. j.m, j.c, -1, j)
  elseif j.st == 'WAIT' then
    call('ZREM', P .. 'delay', id)
    count('depth:' .. j.m, 'wait', -1, j)
  elseif j.st == 'LEASED' then
    call('ZREM', P .. 'lease', id)
    call('DEL', P .. 'tk:' .. j.nonce)
    count('depth:' .. j.m, 'run', -1, j)
    count_tenant('tr', -1, j)
    if unpark(j.t) then ring_bell() end
  elseif j.st == 'SEALING' then
    call('ZREM', P .. 'seal', id)
  elseif j.st == 'DEAD' then
    call('ZREM', P .. 'dead', id)
  end
  if j.dl ~= '0' then call('ZREM', P .. 'due', id) end
end

-- Puts the job into its tenant's list, and the tenant into the ring if it is new there. Whatever
-- comes back goes to the head: it is older than what stands there. Returns the list's length.
local function ready(id, j, at_head, ...)
  local length = call(at_head and 'LPUSH' or 'RPUSH',
                      P .. 'q:' .. j.m .. ':' .. j.c .. ':' .. j.t, id)
  if length == 1 then
    local used = P .. 'dq:' .. j.m .. ':' .. j.c
    if call('HSETNX', used, j.t, call('HGET', used, '#v') or 0) == 1 then
      call('RPUSH', P .. 'ring:' .. j.m .. ':' .. j.c, j.t)
    end
  end
  count('depth:' .. j.m, j.c, 1, j)
  if j.dl ~= '0' then call('ZADD', P .. 'due', j.dl, id) end
  enter(id, j, 'QUEUED', 'own', '', ...)
  ring_bell()
  return length
end

-- The end is decided; the terminal record is still to be written.
local function seal(id, j, want, code, why, ...)
  leave(id, j)
  call('ZADD', P .. 'seal', NOW, id)
  enter(id, j, 'SEALING', 'want', want, 'code', code, 'why', why, 'step', j.cks, ...)
end

-- Mirrors a terminal record.
local function finish(id, j, st, ...)
  local was_live = LIVE[j.st]
  leave(id, j)
  if was_live then
    call('ZREM', P .. 'live', id)
    count_tenant('tn', -1, j)
  end
  if st == 'DEAD' then
    call('ZADD', P .. 'dead', call('INCR', P .. 'seq'), id)
    local cap = tonumber(call('HGET', P .. 'cfg', 'max_dead') or $(max_dead))
    call('ZREMRANGEBYRANK', P .. 'dead', 0, -1 - cap)
  end
  enter(id, j, st, ...)
  call('PEXPIRE', P .. 'j:' .. id, j.keep)
  call('PEXPIRE', P .. 's:' .. id, j.keep)
end

-- A new job; `j` has its model, class, tenant and deadline. Returns the length of its list.
local function create(id, j, spec, ...)
  audited = -1  -- its number is beyond every round's
  j.sq, j.ep, j.cks = call('INCR', P .. 'seq'), 0, 0
  call('ZADD', P .. 'live', j.sq, id)
  call('ZADD', P .. 'all', j.sq, id)
  call('HINCRBY', P .. 'tn', j.t, 1)
  call('SET', P .. 's:' .. id, spec)
  return ready(id, j, false, 'm', j.m, 'c', j.c, 't', j.t, 'dl', j.dl, 'ep', 0, 'cks', 0,
               'enq', NOW, 'sq', j.sq, ...)
end
