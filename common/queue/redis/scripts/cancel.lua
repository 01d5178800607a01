#!lua flags=allow-oom
-- CANCEL: ends a job whose terminal record says CANCELED.
-- ARGV: 2 id, 3 tenant key (empty: any)
-- -> the job's state afterwards, or false if there is no such job of the tenant
local record = require('record')
local counts = require('counts')
local change = require('change')
local index = require('index')

local job, tenant = record.fetch(ARGV[2]), ARGV[3]
if not job or (tenant ~= '' and tenant ~= job.tenant) then return false end
if counts.is_open(job) then index.finish(job, 'CANCELED') end
return change.commit(job.state)
