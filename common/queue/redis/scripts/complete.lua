#!lua flags=allow-oom
-- COMPLETE: the owners of jobs have won or read the terminal records.
-- ARGV: from 2 on, for each job: id, epoch, nonce, result pointer
-- -> for each job: OK | REPEATED | CANCELED | FENCED (lib/done.lua)
local change = require('change')
local done = require('done')

local replies = {}
for i = 2, #ARGV, 4 do
  replies[#replies + 1] = done.complete(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
return change.commit(replies)
