-- The tenants that have ready jobs of a model and class: the ring, whose tenants have their turns
-- one after another (turn.lua), and those that are parked outside of it. The rules are TenantRing's
-- (order.h).
local core = require('core')
local keys = require('keys')
local change = require('change')
local call = core.call

local VIRTUAL_TIME = keys.VIRTUAL_TIME

-- The last job of the tenant has left the list of this model and class.
local function drop(model, class, tenant)
  if call('LREM', keys.ring(model, class), 1, tenant) == 0 then
    local parked = call('HGET', keys.parked, tenant)
    if parked then
      parked = parked:gsub(' ' .. model:gsub('%p', '%%%0') .. ':' .. class .. ' ', ' ', 1)
      if parked == ' ' then
        call('HDEL', keys.parked, tenant)
      else
        call('HSET', keys.parked, tenant, parked)
      end
    end
  end
  local shares = keys.shares(model, class)
  call('HDEL', shares, tenant)
  if call('HLEN', shares) == 1 and call('HEXISTS', shares, VIRTUAL_TIME) == 1 then
    call('DEL', shares)
  end
end

local function is_parked(model, class, tenant)
  local parked = call('HGET', keys.parked, tenant)
  return parked and parked:find(' ' .. model .. ':' .. class .. ' ', 1, true)
end

-- A tenant at its cap leaves the ring, so that nobody looks at it in vain, and comes back when one
-- of its jobs is given up or the limits change (unpark).
local function park(model, class, tenant)
  call('LREM', keys.ring(model, class), 1, tenant)
  local parked = call('HGET', keys.parked, tenant) or ' '
  call('HSET', keys.parked, tenant, parked .. model .. ':' .. class .. ' ')
end

-- The tenant comes back into its rings; true if it was parked. Being parked earns no credit.
local function unpark(tenant)
  local parked = call('HGET', keys.parked, tenant)
  if not parked then return false end
  call('HDEL', keys.parked, tenant)
  for model, class in parked:gmatch('(%S+):(%d)') do
    local shares = keys.shares(model, class)
    local now = tonumber(call('HGET', shares, VIRTUAL_TIME) or 0)
    call('HSET', shares, tenant, math.max(now, tonumber(call('HGET', shares, tenant) or 0)))
    call('RPUSH', keys.ring(model, class), tenant)
    change.ring_bell()
  end
  return true
end

-- The tenant has used something where it has a list; true if that was missing.
local function open_share(model, class, tenant)
  local shares = keys.shares(model, class)
  return call('HSETNX', shares, tenant, call('HGET', shares, VIRTUAL_TIME) or '0') == 1
end

-- Puts jobs of one model, class and tenant into their list, and the tenant into the ring if it is
-- new there. Returns the list's length.
local function push(job, command, ...)
  local length = call(command, keys.list(job.model, job.class, job.tenant), ...)
  if length == select('#', ...) and open_share(job.model, job.class, job.tenant) then
    call('RPUSH', keys.ring(job.model, job.class), job.tenant)
  end
  return length
end

local function is_empty(model, class)
  return call('EXISTS', keys.ring(model, class)) == 0
end

return {
  drop = drop, is_parked = is_parked, park = park, unpark = unpark, open_share = open_share,
  push = push, is_empty = is_empty,
}
