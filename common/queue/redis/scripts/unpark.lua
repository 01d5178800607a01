#!lua flags=allow-oom
-- UNPARK: lets tenants that wait for their cap of running jobs be looked at anew, a page at a time.
-- ARGV: 2 cursor ('0': begin), 3 about how many
-- -> cursor ('0': that was the last page)
local call = require('core').call
local keys = require('keys')
local change = require('change')
local ring = require('ring')

local answer = call('HSCAN', keys.parked, ARGV[2], 'COUNT', ARGV[3])
for i = 1, #answer[2], 2 do ring.unpark(answer[2][i]) end
if #answer[2] > 0 then change.ring_all() end
return change.commit(answer[1])
