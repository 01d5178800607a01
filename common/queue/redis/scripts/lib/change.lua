-- What every change of a job does, whatever the states.

-- The audit's sums cover the jobs up to a sequence number and move along with the counters, so that
-- they are exact when its walk ends.
local audited
local function move_sum(counter, field, by, j)
  audited = audited or tonumber(call('HGET', P .. 'aud', 'pos') or -1)
  if audited >= 0 and tonumber(j.sq) <= audited then
    call('HINCRBY', P .. 'audn', counter .. ' ' .. field, by)
  end
end

local function count(counter, field, by, j)
  local value = call('HINCRBY', P .. counter, field, by)
  move_sum(counter, field, by, j)
  return value
end

-- The same at the end of the script, once for all of its jobs.
local tallies = {}
local function tally(counter, field, by, j)
  local fields = tallies[counter] or {}
  tallies[counter] = fields
  fields[field] = (fields[field] or 0) + by
  move_sum(counter, field, by, j)
end

local function settle()
  for counter, fields in pairs(tallies) do
    for field, by in pairs(fields) do
      call('HINCRBY', P .. counter, field, string.format('%d', by))
    end
  end
end

-- Sets the state, counts the version and tells the listeners (the format is event_codec.h's).
local function enter(id, j, st, ...)
  j.v = string.format('%d', j.v + 1)
  j.st = st
  call('HSET', P .. 'j:' .. id, 'st', st, 'ch', STAMP, 'v', j.v, ...)
  local own = j.own or ''
  call('PUBLISH', P .. 'ev', '1 ' .. id .. ' ' .. j.v .. ' ' .. j.ep .. ' ' .. st .. ' - ' ..
       j.cks .. ' 0 0 0 ' .. #own .. ' 0\n' .. own)
end

-- A worker that found nothing has left a token in `idle`; each job that becomes ready turns one
-- into a ring of the bell.
local function ring_bell(jobs)
  local rings = math.min(tonumber(call('GET', P .. 'idle') or 0), jobs or 1)
  for _ = 1, rings do
    call('DECR', P .. 'idle')
    if call('RPUSH', P .. 'bell', 1) > 256 then call('LPOP', P .. 'bell') end
  end
end

-- A tenant that was parked (index.lua) comes back into its rings. Being parked earns no credit.
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

-- Out of what LEASED names.
local function leave_lease(id, j)
  call('ZREM', P .. 'lease', id)
  call('DEL', P .. 'tk:' .. j.nonce)
  count('depth:' .. j.m, 'run', '-1', j)
  count('tr', j.t, '-1', j)
  if unpark(j.t) then ring_bell() end
end

local function forget_tenant(t)
  call('HDEL', P .. 'tn', t)
  call('HDEL', P .. 'tr', t)
end

-- The job takes over what its terminal record says, and is to be forgotten after a while.
local function conclude(id, j, st, ...)
  enter(id, j, st, ...)
  call('PEXPIRE', P .. 'j:' .. id, j.keep)
  call('PEXPIRE', P .. 's:' .. id, j.keep)
end
