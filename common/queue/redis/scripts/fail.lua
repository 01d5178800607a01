#!lua flags=allow-oom
-- FAIL: the owner could not finish the job. Counts a try; a final failure, the last try or the
-- fault that another node had with it seals the job, otherwise it goes back to the tail of its list,
-- after the delay. A worker that ends with the failure counts as a crash and not as a try
-- (lib/sweep.lua).
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 retryable (1/0), 6 delay ms, 7 reason, 8 code, 9 lost (1/0),
--       10 fault (empty: it says nothing about the job)
-- -> REQUEUED | SEALED | REPEATED (this owner gave it back before) | FENCED
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local index = require('index')

local job, epoch, nonce = record.fetch(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local retryable, delay = ARGV[5] == '1', tonumber(ARGV[6])
local reason, code, lost, fault = ARGV[7], ARGV[8], ARGV[9] == '1', ARGV[10]

local function failed_like_that_elsewhere()
  local known = fault ~= '' and job.node and job.node ~= '' and job.fault_node
  return known and fault == job.fault and job.fault_node ~= '' and job.fault_node ~= job.node
end

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
if not retryable or job.tries >= most or failed_like_that_elsewhere() then
  index.seal(job, 'DEAD', code, reason)
  return change.commit('SEALED')
end
job.reason, job.code, job.step = reason, code, job.checkpoint_step
if fault ~= '' then job.fault, job.fault_node = fault, job.node end
if delay == 0 then
  index.ready_last(job)
else
  index.wait(job, core.now + delay)
end
return change.commit('REQUEUED')
