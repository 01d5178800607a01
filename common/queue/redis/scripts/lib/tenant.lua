-- What one tenant may do: by limits of its own or by those for all (`tl` and `cfg` in keys.lua).
local keys = require('keys')
local counts = require('counts')
local call = require('core').call

local UNLIMITED = $(max_running_per_tenant)  -- the default, which nobody reaches

local known = {}  -- tenant -> jobs that it may have running, and its weight

local function limits_of(tenant)
  local limits = known[tenant]
  if not limits then
    local own = call('HMGET', keys.tenant_limits, tenant .. ':r', tenant .. ':w')
    local most = own[1] or call('HGET', keys.config, 'max_running_per_tenant') or UNLIMITED
    limits = {most = tonumber(most), weight = tonumber(own[2] or 1)}
    known[tenant] = limits
  end
  return limits
end

-- Jobs that it may have running beyond those that do.
local function room(tenant)
  local most = limits_of(tenant).most
  return most < UNLIMITED and most - counts.running(tenant) or most
end

-- Its share beside other tenants' 1.
local function weight(tenant)
  return limits_of(tenant).weight
end

return {room = room, weight = weight}
