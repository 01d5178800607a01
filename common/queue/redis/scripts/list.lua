#!lua flags=no-writes
-- LIST: jobs newest first, filtered; looks at a bounded number of entries.
-- ARGV: 2 index (all, or dead: by death), 3 sequence to start below (0: from the top), 4 limit,
--       5 entries to look at, 6 tenant key (empty: all), 7 model key (empty: all),
--       8... states (none: all)
-- -> {sequence to go on below (0: no more), view, view, ...}
--#include core
--#include view
local states = {}
for i = 8, #ARGV do states[ARGV[i]] = true end
local from = ARGV[3] == '0' and '+inf' or '(' .. ARGV[3]
local limit, window = tonumber(ARGV[4]), tonumber(ARGV[5])
local entries = call('ZRANGE', P .. ARGV[2], from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, window,
                     'WITHSCORES')
local rows = {0}
for i = 1, #entries, 2 do
  local row = view(entries[i])
  if row and (ARGV[6] == '' or ARGV[6] == row[7]) and (ARGV[7] == '' or ARGV[7] == row[5]) and
     (#ARGV < 8 or states[row[2]]) then
    rows[#rows + 1] = row
    if #rows > limit then
      if i + 2 <= #entries or #entries == 2 * window then rows[1] = tonumber(entries[i + 1]) end
      return rows
    end
  end
end
if #entries == 2 * window then rows[1] = tonumber(entries[#entries]) end
return rows
