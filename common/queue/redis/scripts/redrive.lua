#!lua
-- REDRIVE: a dead letter as a new job, the next generation of its id, to run alone. The dead one
-- stays. Without allow-oom: refused whole when Redis is full.
-- ARGV: 2 id, 3 id of the next generation, 4 tenant key (empty: any)
-- -> {'NEW', state} | {'DUP', state of the new job} | {'UNKNOWN'} | {'NOT_DEAD', state} |
--    {'PAUSED'} | {'FULL', which cap}
local call = require('core').call
local keys = require('keys')
local record = require('record')
local change = require('change')

local id, next_id, tenant = ARGV[2], ARGV[3], ARGV[4]
local job = record.fetch(id)
local bytes = call('GET', keys.submission .. id)
local submitted = bytes and record.submission(bytes)
if not job or not submitted or (tenant ~= '' and tenant ~= job.tenant) then return {'UNKNOWN'} end
local state = record.state_of(next_id)
if state then return {'DUP', state} end
if job.state ~= 'DEAD' then return {'NOT_DEAD', job.state} end
local refused = require('caps').refusal(job.tenant)
if refused then return refused end

submitted.id, submitted.spec = next_id, record.spec_of(job)
submitted.deadline, submitted.solo = 0, 1
require('create').create({submitted})
return change.commit({'NEW', 'QUEUED'})
