-- Whether there is room for new jobs: nil, or the answer of SUBMIT that refuses one. Counts what it
-- has let in, for the jobs of one call come into being together.
local core = require('core')
local keys = require('keys')
local call = core.call

-- The key of no tenant. Those without one share no tenant's cap: max_jobs is theirs.
local NOBODY = 'h.4oymiquy7qobjgx3'

local caps
local function read()
  local config = call('HMGET', keys.config, 'paused', 'max_jobs', 'max_per_tenant')
  local most = tonumber(config[2] or $(max_jobs))
  return {paused = config[1] == '1', room = most - call('ZCARD', keys.live),
          each = config[3] or $(max_per_tenant), rooms = {}}
end

local function refusal(tenant)
  caps = caps or read()
  if caps.paused then return {'PAUSED'} end
  if caps.room <= 0 then return {'FULL', 'jobs'} end
  local room = caps.rooms[tenant]
  if not room then
    local most = call('HGET', keys.tenant_limits, tenant .. ':o') or
                 (tenant == NOBODY and math.huge) or caps.each
    room = tonumber(most) - tonumber(call('HGET', keys.open, tenant) or 0)
  end
  if room <= 0 then return {'FULL', 'tenant'} end
  caps.rooms[tenant] = room - 1
  caps.room = caps.room - 1
end

return {refusal = refusal}
