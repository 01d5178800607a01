-- TAKE's transition, from the head of a list to an owner. The others are index.lua's.
local core = require('core')
local keys = require('keys')
local counts = require('counts')
local change = require('change')

-- The job stands at the head of its list, and nothing behind it if it `is_last`. `owner`: worker,
-- node, nonce, lease and the models that the worker serves.
local function lease(job, is_last, owner)
  counts.add(job, -1)
  if job.deadline > 0 then change.place(keys.deadlines, job.id, false) end
  core.call('LPOP', keys.list(job.model, job.class, job.tenant))
  if is_last then require('ring').drop(job.model, job.class, job.tenant) end
  change.place(keys.leases, job.id, core.now + owner.lease)
  change.hold(owner.nonce, job.id)
  job.epoch = job.epoch + 1
  job.worker, job.node, job.worker_models = owner.worker, owner.node, owner.models
  job.nonce, job.lease, job.started = owner.nonce, owner.lease, core.now
  job.phase, job.units, job.progressed, job.heard = false, 0, 0, 0  -- what the last owner left
  change.enter(job, 'LEASED')
  counts.add(job, 1)
end

return {lease = lease}
