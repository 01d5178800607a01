#!lua flags=allow-oom
-- RELEASE: the owner gives the job back unharmed (drain, preemption, upgrade): to the head of its
-- list, no counter moves.
-- ARGV: 2 id, 3 epoch, 4 nonce, 5 checkpoint (empty: the known one), 6 its step
-- -> OK | REPEATED | CANCELED | FENCED
local record = require('record')
local change = require('change')
local index = require('index')

local job, epoch, nonce = record.fetch(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local checkpoint, step = ARGV[5], tonumber(ARGV[6])

if job and job.returned_by == nonce then return 'REPEATED' end
if not job or not record.is_owner(job, epoch, nonce) then return 'FENCED' end
if job.state == 'CANCELED' then return 'CANCELED' end
if job.state ~= 'LEASED' then return 'FENCED' end
if checkpoint ~= '' then job.checkpoint, job.checkpoint_step = checkpoint, step end
job.returned_by, job.step = nonce, job.checkpoint_step
index.ready(job)
return change.commit('OK')
