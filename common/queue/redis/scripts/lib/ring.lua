-- The tenants that have ready jobs of a model and class: `ring`, or `park` (index.lua).

-- The last job of the tenant has left the list of this model and class.
local function drop_tenant(m, c, t)
  local used = P .. 'dq:' .. m .. ':' .. c
  if call('LREM', P .. 'ring:' .. m .. ':' .. c, '1', t) == 0 then
    local parked = call('HGET', P .. 'park', t)
    if parked then
      parked = parked:gsub(' ' .. m:gsub('%p', '%%%0') .. ':' .. c .. ' ', ' ', 1)
      if parked == ' ' then
        call('HDEL', P .. 'park', t)
      else
        call('HSET', P .. 'park', t, parked)
      end
    end
  end
  call('HDEL', used, t)
  if call('HLEN', used) == 1 and call('HEXISTS', used, '#v') == 1 then call('DEL', used) end
end

-- A tenant at its cap leaves the rings, so that nobody looks at it in vain, and comes back when one
-- of its jobs is given up or the limits change (unpark).
local function park(m, c, t)
  call('LREM', P .. 'ring:' .. m .. ':' .. c, '1', t)
  call('HSET', P .. 'park', t, (call('HGET', P .. 'park', t) or ' ') .. m .. ':' .. c .. ' ')
end

-- A tenant that was parked comes back into its rings. Being parked earns no credit.
local function unpark(t)
  local parked = call('HGET', P .. 'park', t)
  if not parked then return false end
  call('HDEL', P .. 'park', t)
  for m, c in parked:gmatch('(%S+):(%d)') do
    local used = P .. 'dq:' .. m .. ':' .. c
    local now = tonumber(call('HGET', used, '#v') or 0)
    call('HSET', used, t, math.max(now, tonumber(call('HGET', used, t) or 0)))
    call('RPUSH', P .. 'ring:' .. m .. ':' .. c, t)
  end
  return true
end

-- Puts jobs of one model, class and tenant into their list, and the tenant into the ring if it is
-- new there. Returns the list's length.
local function push(j, command, ...)
  local length = call(command, P .. 'q:' .. j.m .. ':' .. j.c .. ':' .. j.t, ...)
  if length == select('#', ...) then
    local used = P .. 'dq:' .. j.m .. ':' .. j.c
    if call('HSETNX', used, j.t, call('HGET', used, '#v') or '0') == 1 then
      call('RPUSH', P .. 'ring:' .. j.m .. ':' .. j.c, j.t)
    end
  end
  return length
end

-- Wakes all who wait.
local function ring_all()
  ring_bell(math.huge)
end
