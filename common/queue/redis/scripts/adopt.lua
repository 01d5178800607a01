#!lua flags=allow-oom
-- ADOPT: a terminal record exists; take over what it says, whatever the state was.
-- ARGV: 2 id, 3 state, 4 result pointer
-- -> 1, or 0 if the job is unknown
local record = require('record')
local change = require('change')
local index = require('index')

local job, state = record.fetch(ARGV[2]), ARGV[3]
if not job then return 0 end
if job.state ~= state then
  job.result = ARGV[4]
  index.finish(job, state)
end
return change.commit(1)
