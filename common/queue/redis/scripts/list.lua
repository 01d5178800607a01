#!lua flags=no-writes
-- LIST: jobs newest first, filtered; looks at a bounded number of entries.
-- ARGV: 2 index (all; live: of jobs that have not ended; few: of those that are not ready; dead: by
--       death), 3 sequence to start below (0: from the top), 4 limit, 5 entries to look at,
--       6 tenant key (empty: all), 7 model key (empty: all), 8... states (none: all)
-- -> {sequence to go on below (0: no more), view, view, ...}
local call = require('core').call
local keys = require('keys')
local record = require('record')
local view = require('view').view

local from, limit, window = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local tenant, model, states = ARGV[6], ARGV[7], {}
for i = 8, #ARGV do states[ARGV[i]] = true end

local function matches(job)
  return (tenant == '' or tenant == job.tenant) and (model == '' or model == job.model) and
         (#ARGV < 8 or states[job.state])
end

-- -> id, number, id, number ...
local function walk(set)
  return call('ZRANGE', set, from == 0 and '+inf' or '(' .. ARGV[3], '-inf', 'BYSCORE', 'REV',
              'LIMIT', 0, window, 'WITHSCORES')
end

-- The same of what leases, delays and seals name, where that is no more than one call may look at.
local function walk_few()
  local ids = {}
  for state, set in pairs({LEASED = keys.leases, WAIT = keys.delays, SEALING = keys.seals}) do
    if states[state] then
      if #ids + call('ZCARD', set) > window then return walk(keys.live) end
      for _, id in ipairs(call('ZRANGE', set, 0, -1)) do ids[#ids + 1] = id end
    end
  end
  if #ids == 0 then return {} end
  local found = {}
  for n, number in ipairs(call('ZMSCORE', keys.live, unpack(ids))) do
    number = tonumber(number or 0)
    if number > 0 and (from == 0 or number < from) then found[#found + 1] = {ids[n], number} end
  end
  table.sort(found, function(a, b) return a[2] > b[2] end)
  local entries = {}
  for n, entry in ipairs(found) do entries[2 * n - 1], entries[2 * n] = entry[1], entry[2] end
  return entries
end

local function read(entries)
  local ids = {}
  for i = 1, #entries, 2 do ids[#ids + 1] = entries[i] end
  if #ids > 0 then record.read_all(ids) end
end

local entries = ARGV[2] == 'few' and walk_few() or walk(keys[ARGV[2]] or keys.live)
read(entries)
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
