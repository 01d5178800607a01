-- Whether there is room for new jobs: nil, or the answer of SUBMIT that refuses one. Counts what it
-- has let in, for the jobs of one call come into being together.
local core = require('core')
local keys = require('keys')
local call = core.call

-- The key of no tenant. Those without one share no tenant's cap: max_jobs is theirs.
local NOBODY = 'h.4oymiquy7qobjgx3'

-- What a tenant's new jobs may come to in a minute, as SUBMIT has them.
local QUOTAS = {'pixel_steps', 'prompt_bytes', 'result_bytes'}
local NO_QUOTA = $(kNoQuota)
local WINDOW = $(kQuotaWindow)
local MINUTE = '#m'  -- among the tenants: the minute of what they have used
local minute = math.floor(core.now / WINDOW)

local caps
local function read()
  local config = call('HMGET', keys.config, 'paused', 'max_jobs', 'max_per_tenant',
                      'pixel_steps_per_tenant', 'prompt_bytes_per_tenant',
                      'result_bytes_per_tenant')
  local most = tonumber(config[2] or $(max_jobs))
  return {paused = config[1] == '1', room = most - call('ZCARD', keys.live),
          each = config[3] or $(max_per_tenant), quotas = {config[4], config[5], config[6]},
          rooms = {}, usage = {}}
end

-- What the tenant may use in a minute, and what it has; false: it has no quota. `own`: its quotas.
local function usage_of(tenant, own)
  local quotas = {}
  for n = 1, #QUOTAS do
    local most = tonumber(own[n] or tenant ~= NOBODY and caps.quotas[n] or NO_QUOTA)
    if most < NO_QUOTA then quotas[n] = most end
  end
  if not next(quotas) then return false end
  caps.minute = caps.minute or tonumber(call('HGET', keys.usage, MINUTE) or 0)
  local text = caps.minute == minute and call('HGET', keys.usage, tenant) or ''
  local p, t, b = text:match('^(%d+) (%d+) (%d+)$')
  return {most = quotas, tonumber(p or 0), tonumber(t or 0), tonumber(b or 0)}
end

-- The first quota that is used up; nil: there is none, and `spend` is counted.
local function quota_refusal(used, spend)
  for n, quota in ipairs(QUOTAS) do
    local most = used.most[n]
    if most and used[n] >= most then
      return {'FULL', quota, (minute + 1) * WINDOW - core.now}
    end
  end
  local n = 0
  for amount in spend:gmatch('%d+') do
    n = n + 1
    used[n] = used[n] + tonumber(amount)
  end
  used.changed = true
end

-- `spend`: what the job takes of each quota; nil: nothing.
local function refusal(tenant, spend)
  caps = caps or read()
  if caps.paused then return {'PAUSED'} end
  if caps.room <= 0 then return {'FULL', 'jobs'} end
  local room = caps.rooms[tenant]
  if not room then
    local own = call('HMGET', keys.tenant_limits, tenant .. ':o', tenant .. ':p', tenant .. ':t',
                     tenant .. ':b')
    local most = own[1] or (tenant == NOBODY and math.huge) or caps.each
    caps.usage[tenant] = usage_of(tenant, {own[2], own[3], own[4]})
    room = tonumber(most) - tonumber(call('HGET', keys.open, tenant) or 0)
  end
  if room <= 0 then return {'FULL', 'tenant'} end
  local used = caps.usage[tenant]
  local refused = spend and used and quota_refusal(used, spend)
  if refused then return refused end
  caps.rooms[tenant] = room - 1
  caps.room = caps.room - 1
end

-- Writes down what the new jobs have used; what was used in another minute goes.
local function note_usage()
  for tenant, used in pairs(caps.usage) do
    if used and used.changed then
      if caps.minute ~= minute then
        call('UNLINK', keys.usage)
        call('HSET', keys.usage, MINUTE, core.text(minute))
        caps.minute = minute
      end
      call('HSET', keys.usage, tenant, table.concat({core.text(used[1]), core.text(used[2]),
                                                     core.text(used[3])}, ' '))
    end
  end
end

return {refusal = refusal, note_usage = note_usage}
