#!lua
-- SUBMIT: new jobs, each once. Without allow-oom: refused whole when Redis is full.
-- ARGV: from 2 on, for each job: id, class, model key, tenant key, cost, fingerprint, keep ms,
--       deadline (below zero: so many ms from now), model name, tenant name (empty: as the key),
--       spec, '1' to create nothing that may have been forgotten, what it takes of each quota
--       with blanks between (caps.lua)
-- -> for each job: {'NEW'} | {'DUP', state} | {'CONFLICT', state} | {'PAUSED'} |
--    {'FULL', which cap, perhaps ms until there is room} | {'UNKNOWN'}
-- Repeating it is a DUP: the id comes from the client's idempotency key.
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local caps = require('caps')
local forgotten = require('forgotten')
local ARGUMENTS = 13
local call = core.call

local function request(i)
  local id, class, model, tenant, cost, fingerprint, keep, deadline, model_name, tenant_name, spec,
        unless_forgotten, spend = unpack(ARGV, i, i + ARGUMENTS - 1)
  deadline = tonumber(deadline)
  if deadline < 0 then deadline = core.now - deadline end
  return {id = id, class = class, model = model, tenant = tenant, cost = tonumber(cost),
          fingerprint = fingerprint, keep = tonumber(keep), deadline = deadline,
          model_name = model_name ~= '' and model_name, solo = 0,
          tenant_name = tenant_name ~= '' and tenant_name, spec = spec,
          unless_forgotten = unless_forgotten ~= '', spend = spend}
end

local names = {}
for i = 2, #ARGV, ARGUMENTS do names[#names + 1] = keys.submission .. ARGV[i] end
local stored = call('MGET', unpack(names))

local new, fingerprints = {}, {}  -- jobs; id -> fingerprint
local again = {}  -- ids that more than one submit has named
local function answer(job, bytes)
  local submitted = bytes and record.submission(bytes)
  local before = submitted and submitted.fingerprint or fingerprints[job.id]
  if before then
    if before == job.fingerprint then again[#again + 1] = job.id end
    return {before == job.fingerprint and 'DUP' or 'CONFLICT',
            bytes and record.state_of(job.id) or 'QUEUED'}
  end
  if job.unless_forgotten and (bytes or not forgotten.never_known(job.id)) then
    return {'UNKNOWN'}
  end
  local refused = caps.refusal(job.tenant, job.spend)
  if refused then return refused end
  fingerprints[job.id] = job.fingerprint
  new[#new + 1] = job
  return {'NEW'}
end

local replies = {}
for n = 1, #names do replies[n] = answer(request(2 + (n - 1) * ARGUMENTS), stored[n]) end
if #new > 0 then
  require('create').create(new)
  caps.note_usage()
end
for _, id in ipairs(again) do
  local job = record.fetch(id)
  if job and job.shared == 0 then
    job.shared = 1
    change.note(job)
  end
end
return change.commit(replies)
