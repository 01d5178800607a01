#!lua
-- SUBMIT: new jobs, each once. Without allow-oom: refused whole when Redis is full.
-- ARGV: from 2 on, for each job: id, class, model key, tenant key, cost, fingerprint, keep ms,
--       deadline, model name, tenant name (empty: as the key), spec
-- -> for each job: {'NEW'} | {'DUP', state} | {'CONFLICT', state} | {'PAUSED'} |
--    {'FULL', which cap}
-- Repeating it is a DUP: the id comes from the client's idempotency key.
local call = require('core').call
local keys = require('keys')
local record = require('record')
local change = require('change')
local caps = require('caps')
local ARGUMENTS = 11

local function request(i)
  local id, class, model, tenant, cost, fingerprint, keep, deadline, model_name, tenant_name, spec =
      unpack(ARGV, i, i + ARGUMENTS - 1)
  return {id = id, class = class, model = model, tenant = tenant, cost = tonumber(cost),
          fingerprint = fingerprint, keep = tonumber(keep), deadline = tonumber(deadline),
          model_name = model_name ~= '' and model_name, solo = 0,
          tenant_name = tenant_name ~= '' and tenant_name, spec = spec}
end

local names = {}
for i = 2, #ARGV, ARGUMENTS do names[#names + 1] = keys.submission .. ARGV[i] end
local stored = call('MGET', unpack(names))

local new, fingerprints = {}, {}  -- jobs; id -> fingerprint
local function answer(job, bytes)
  local submitted = bytes and record.submission(bytes)
  local before = submitted and submitted.fingerprint or fingerprints[job.id]
  if before then
    return {before == job.fingerprint and 'DUP' or 'CONFLICT',
            bytes and record.state_of(job.id) or 'QUEUED'}
  end
  local refused = caps.refusal(job.tenant)
  if refused then return refused end
  fingerprints[job.id] = job.fingerprint
  new[#new + 1] = job
  return {'NEW'}
end

local replies = {}
for n = 1, #names do replies[n] = answer(request(2 + (n - 1) * ARGUMENTS), stored[n]) end
if #new > 0 then require('create').create(new) end
return change.commit(replies)
