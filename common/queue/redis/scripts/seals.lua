#!lua flags=no-writes
-- SEALS: the jobs that wait for their terminal record, oldest first.
-- ARGV: 2 limit
-- -> {{id, wanted state, reason, code, epoch}, ...}
local call = require('core').call
local keys = require('keys')
local record = require('record')

local found = {}
for _, id in ipairs(call('ZRANGE', keys.seals, 0, ARGV[2] - 1)) do
  local job = record.fetch(id)
  if job then found[#found + 1] = {id, job.wanted, job.reason, job.code, job.epoch} end
end
return found
