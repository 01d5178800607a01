-- Whether there is room for new jobs: nil, or the answer of SUBMIT that refuses one. Counts what it
-- has let in, for the jobs of one call come into being together.
local core = require('core')
local keys = require('keys')
local call = core.call

-- The key of no tenant. Those without one share no tenant's cap: max_jobs is theirs.
local NOBODY = 'h.4oymiquy7qobjgx3'

-- What a tenant's new jobs may come to in a minute, as SUBMIT has them: field of its limits, name.
local QUOTAS = {{'p', 'pixel_steps'}, {'t', 'prompt_bytes'}, {'b', 'result_bytes'}}
local WINDOW = 60000  -- kQuotaWindow
local minute = math.floor(core.now / WINDOW)

-- What the tenant has used of its quotas in this minute; false: it has none.
local function usage_of(tenant, most)
  if not (most[1] or most[2] or most[3]) then return false end
  local then_, p, t, b = (call('HGET', keys.usage, tenant) or ''):match('^(%d+) (%d+) (%d+) (%d+)$')
  if tonumber(then_) ~= minute then p, t, b = 0, 0, 0 end
  return {most = most, tonumber(p), tonumber(t), tonumber(b)}
end

local caps
local function read()
  local config = call('HMGET', keys.config, 'paused', 'max_jobs', 'max_per_tenant')
  local most = tonumber(config[2] or $(max_jobs))
  return {paused = config[1] == '1', room = most - call('ZCARD', keys.live),
          each = config[3] or $(max_per_tenant), rooms = {}, usage = {}}
end

-- The first quota that is used up; nil: there is none, and `spend` is counted.
local function quota_refusal(used, spend)
  for n, quota in ipairs(QUOTAS) do
    local most = used.most[n]
    if most and used[n] >= tonumber(most) then
      return {'FULL', quota[2], (minute + 1) * WINDOW - core.now}
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

-- Writes down what the new jobs have used.
local function note_usage()
  for tenant, used in pairs(caps.usage) do
    if used and used.changed then
      call('HSET', keys.usage, tenant, table.concat({core.text(minute), core.text(used[1]),
                                                     core.text(used[2]), core.text(used[3])}, ' '))
    end
  end
end

return {refusal = refusal, note_usage = note_usage}
