#!lua flags=allow-oom
-- RENEW: extends a lease, forward only, while the owner makes progress.
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 lease ms, 6 stall ms, 7 units, 8 step, 9 phase,
--       10 checkpoint (empty: unchanged), 11 its step
-- -> OK | PREEMPTED (extended; PREEMPT chose this owner) | STALLED | CANCELED | FENCED
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local call = core.call

local job, epoch, nonce = record.fetch(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local lease, stall, units = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local checkpoint, checkpoint_step = ARGV[10], tonumber(ARGV[11])

if not job or not record.is_owner(job, epoch, nonce) then return 'FENCED' end
if job.state == 'CANCELED' then return 'CANCELED' end
if job.state ~= 'LEASED' then return 'FENCED' end

job.step, job.phase = tonumber(ARGV[8]), ARGV[9]
if checkpoint ~= '' then job.checkpoint, job.checkpoint_step = checkpoint, checkpoint_step end
change.note(job)
if units > job.units then
  job.units, job.progressed = units, core.now
else
  local progressed = job.progressed > 0 and job.progressed or job.changed
  local longest = tonumber(call('HGET', keys.config, 'stall') or $(stall))
  if core.now - progressed > math.max(longest, stall) then return change.commit('STALLED') end
end
job.heard = 1
call('ZADD', keys.leases, 'GT', core.text(core.now + lease), job.id)
return change.commit(job.preempted_epoch == job.epoch and 'PREEMPTED' or 'OK')
