-- What one tenant may do: by limits of its own or by those for all (`tl` and `cfg` in keys.lua).
local keys = require('keys')
local counts = require('counts')
local call = require('core').call

local for_all  -- jobs that each may have running, where it has no limit of its own

-- Jobs that it may have running beyond those that do.
local function room(tenant)
  local most = call('HGET', keys.tenant_limits, tenant .. ':r')
  if not most then
    for_all = for_all or call('HGET', keys.config, 'max_running_per_tenant') or
              $(max_running_per_tenant)
    most = for_all
  end
  return tonumber(most) - counts.running(tenant)
end

-- Its share beside other tenants' 1.
local function weight(tenant)
  return tonumber(call('HGET', keys.tenant_limits, tenant .. ':w') or 1)
end

return {room = room, weight = weight}
