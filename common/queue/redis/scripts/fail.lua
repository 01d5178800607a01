#!lua flags=allow-oom
-- FAIL: the owner could not finish the job. Counts a try; a final failure or the last try seals
-- the job, otherwise it waits for the delay or goes back to the head of its list. A worker that
-- ends with the failure counts as a crash and not as a try (lib/sweep.lua).
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 retryable (1/0), 6 delay ms, 7 reason, 8 code, 9 lost (1/0)
-- -> REQUEUED | SEALED | REPEATED (this owner gave it back before) | FENCED
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local index = require('index')

local job, epoch, nonce = record.fetch(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local retryable, delay = ARGV[5] == '1', tonumber(ARGV[6])
local reason, code, lost = ARGV[7], ARGV[8], ARGV[9] == '1'

if job and job.returned_by == nonce then return 'REPEATED' end
if not job or job.state ~= 'LEASED' or not record.is_owner(job, epoch, nonce) then
  return 'FENCED'
end

job.returned_by = nonce
if lost then
  local queued = require('sweep').take_back(job, reason, code)
  return change.commit(queued and 'REQUEUED' or 'SEALED')
end
job.tries = job.tries + 1
local most = tonumber(core.call('HGET', keys.config, 'max_tries') or $(max_tries))
if not retryable or job.tries >= most then
  index.seal(job, 'DEAD', code, reason)
  return change.commit('SEALED')
end
job.reason, job.code, job.step = reason, code, job.checkpoint_step
if delay == 0 then
  index.ready(job)
else
  index.wait(job, core.now + delay)
end
return change.commit('REQUEUED')
