#!lua flags=no-writes
-- GET: one job with its place in its list (exact below 256, else the list's length) and its spec.
-- ARGV: 2 id, 3 tenant key (empty: any)
-- -> false if there is no such job of the tenant, or the view's fields, position, spec
local call = require('core').call
local keys = require('keys')
local record = require('record')
local view = require('view').view

local id, tenant = ARGV[2], ARGV[3]
local job, position = record.fetch(id), -1
if not job or (tenant ~= '' and tenant ~= job.tenant) then return false end
local row = view(id)
if job.state == 'QUEUED' then
  local list = keys.list(job.model, job.class, job.tenant)
  position = call('LPOS', list, id, 'MAXLEN', 256) or call('LLEN', list)
end
row[#row + 1] = position
row[#row + 1] = record.spec_of(job)
return row
