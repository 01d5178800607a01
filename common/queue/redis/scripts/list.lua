#!lua flags=no-writes
-- LIST: jobs newest first, filtered; looks at a bounded number of entries.
-- ARGV: 2 index (all, or dead: by death), 3 sequence to start below (0: from the top), 4 limit,
--       5 entries to look at, 6 tenant key (empty: all), 7 model key (empty: all),
--       8... states (none: all)
-- -> {sequence to go on below (0: no more), view, view, ...}
local call = require('core').call
local keys = require('keys')
local record = require('record')
local view = require('view').view

local set, from = keys[ARGV[2]], ARGV[3] == '0' and '+inf' or '(' .. ARGV[3]
local limit, window = tonumber(ARGV[4]), tonumber(ARGV[5])
local tenant, model, states = ARGV[6], ARGV[7], {}
for i = 8, #ARGV do states[ARGV[i]] = true end

local function matches(job)
  return (tenant == '' or tenant == job.tenant) and (model == '' or model == job.model) and
         (#ARGV < 8 or states[job.state])
end

local entries = call('ZRANGE', set, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, window,
                     'WITHSCORES')
local rows = {0}
for i = 1, #entries, 2 do
  local job = record.fetch(entries[i])
  if job and matches(job) then
    rows[#rows + 1] = view(job.id)
    if #rows > limit then
      if i + 2 <= #entries or #entries == 2 * window then rows[1] = tonumber(entries[i + 1]) end
      return rows
    end
  end
end
if #entries == 2 * window then rows[1] = tonumber(entries[#entries]) end
return rows
