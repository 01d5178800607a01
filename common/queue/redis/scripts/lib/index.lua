-- The transitions. A job that is not terminal is in `live` and in exactly the index that its
-- state names; `leave` takes it out of that one, the others put it into the next.

-- Sets the state, counts the version and tells the listeners (the format is event_codec.h's).
local function enter(id, j, st, ...)
  j.v = (j.v or 0) + 1
  j.st = st
  call('HSET', P .. 'j:' .. id, 'st', st, 'ch', NOW, 'v', j.v, 'ph', '', ...)
  local own = j.own or ''
  call('PUBLISH', P .. 'ev', '1 ' .. id .. ' ' .. j.v .. ' ' .. j.ep .. ' ' .. st .. ' - ' ..
       j.cks .. ' 0 0 0 ' .. #own .. ' 0\n' .. own)
end

local function drop_tenant(ring, used, tenant)
  call('LREM', ring, 1, tenant)
  call('HDEL', used, tenant)
  if call('EXISTS', ring) == 0 then call('DEL', used) end
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
  if call('EXISTS', q) == 0 then
    drop_tenant(P .. 'ring:' .. j.m .. ':' .. j.c, P .. 'dq:' .. j.m .. ':' .. j.c, j.t)
  end
end

local function leave(id, j)
  local depth = P .. 'depth:' .. j.m
  if j.st == 'QUEUED' then
    leave_list(id, j)
    call('HINCRBY', depth, j.c, -1)
  elseif j.st == 'WAIT' then
    call('ZREM', P .. 'delay', id)
    call('HINCRBY', depth, 'wait', -1)
  elseif j.st == 'LEASED' then
    call('ZREM', P .. 'lease', id)
    call('DEL', P .. 'tk:' .. j.nonce)
    call('HINCRBY', depth, 'run', -1)
  elseif j.st == 'SEALING' then
    call('ZREM', P .. 'seal', id)
  elseif j.st == 'DEAD' then
    call('ZREM', P .. 'dead', id)
  end
  if j.dl ~= '0' then call('ZREM', P .. 'due', id) end
end

-- A worker that found nothing has left a token in `idle`; each job that becomes ready turns one
-- into a ring of the bell.
local function ring_bell()
  local idle = call('GET', P .. 'idle')
  if not idle or idle == '0' then return end
  call('DECR', P .. 'idle')
  if call('RPUSH', P .. 'bell', 1) > 256 then call('LPOP', P .. 'bell') end
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
  call('HINCRBY', P .. 'depth:' .. j.m, j.c, 1)
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
  leave(id, j)
  if call('ZREM', P .. 'live', id) == 1 and call('HINCRBY', P .. 'tn', j.t, -1) <= 0 then
    call('HDEL', P .. 'tn', j.t)
  end
  if st == 'DEAD' then
    call('ZADD', P .. 'dead', NOW, id)
    call('ZREMRANGEBYRANK', P .. 'dead', 0, -10001)
  end
  enter(id, j, st, ...)
  call('PEXPIRE', P .. 'j:' .. id, j.keep)
  call('PEXPIRE', P .. 's:' .. id, j.keep)
end
