#!lua flags=allow-oom
-- SEALS: jobs that wait for their terminal record, oldest first. Each is the caller's for a while:
-- the score in `seal` is from when on somebody may have it.
-- ARGV: 2 limit, 3 for how many ms
-- -> {{id, wanted state, reason, code, epoch}, ...}
local core = require('core')
local keys = require('keys')
local record = require('record')
local call = core.call

local claimed = core.text(core.now + ARGV[3])
local found, claims = {}, {}
for _, id in ipairs(call('ZRANGE', keys.seals, '-inf', core.now_text, 'BYSCORE', 'LIMIT', 0, ARGV[2])) do
  local job = record.fetch(id)
  if job and job.state == 'SEALING' then
    found[#found + 1] = {id, job.wanted, job.reason, job.code, job.epoch}
    claims[#claims + 1], claims[#claims + 2] = claimed, id
  else
    call('ZREM', keys.seals, id)  -- else it would stand before the others for ever
  end
end
if #claims > 0 then call('ZADD', keys.seals, 'XX', unpack(claims)) end
return found
