-- The counters of jobs. What a job counts for is said by its state, here alone: by model its class
-- and its cost while it is ready, 'run' and 'wait' (`depth`); by tenant whether it is open (`tn`) and whether it
-- runs (`tr`). What changes is noted and written at the script's end, each counter once.
local core = require('core')
local keys = require('keys')
local call = core.call

local OPEN = {QUEUED = true, WAIT = true, LEASED = true, SEALING = true}

local noted = {}  -- key -> field -> by how much
local audited     -- the audit's sums have the jobs up to this sequence number

local function is_open(job)
  return OPEN[job.state] or false
end

-- Calls visit(key, field, whether it counts the cost, ...) for each counter that has the job.
local function each(job, visit, ...)
  if not OPEN[job.state] then return end
  visit(keys.open, job.tenant, false, ...)
  if job.state == 'QUEUED' then
    local depth = keys.depth(job.model)
    visit(depth, job.class, false, ...)
    visit(depth, 'cost', true, ...)
  elseif job.state == 'WAIT' then
    visit(keys.depth(job.model), 'wait', false, ...)
  elseif job.state == 'LEASED' then
    visit(keys.depth(job.model), 'run', false, ...)
    visit(keys.running, job.tenant, false, ...)
  end
end

local function note(key, field, is_cost, is_audited, by, cost)
  local change = is_cost and cost or by
  local fields = noted[key] or {}
  noted[key] = fields
  fields[field] = (fields[field] or 0) + change
  if is_audited then call('HINCRBY', keys.audit_sums, key .. ' ' .. field, core.text(change)) end
end

-- `by` jobs like this one come (or go), which cost as much as it does, or `cost` together. The
-- audit's sums move along with the counters, so that they are exact when its walk ends.
local function add(job, by, cost)
  audited = audited or tonumber(call('HGET', keys.config, 'audited') or -1)
  each(job, note, job.sequence <= audited, by, cost or by * job.cost)
end

-- How many jobs of the tenant run.
local function running(tenant)
  local fields = noted[keys.running]
  return tonumber(call('HGET', keys.running, tenant) or 0) + (fields and fields[tenant] or 0)
end

-- A tenant without open jobs has no counters. They go when all is written: in which order a table is
-- walked depends on the names in it, and a counter that is written after it went would be there again.
local function write()
  local gone = {}
  for key, fields in pairs(noted) do
    for field, by in pairs(fields) do
      if by ~= 0 and call('HINCRBY', key, field, core.text(by)) <= 0 and key == keys.open then
        gone[#gone + 1] = field
      end
    end
  end
  for _, tenant in ipairs(gone) do
    call('HDEL', keys.open, tenant)
    call('HDEL', keys.running, tenant)
  end
  noted = {}
end

return {is_open = is_open, each = each, add = add, running = running, write = write}
