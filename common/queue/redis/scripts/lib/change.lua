-- What changes is noted while a script decides and written at its end, once for all of its jobs.
local changed = {}   -- id -> job
local events = {}
local gone = {}      -- time to forget it, id, ...
local rings = 0      -- of the bell
local tallies = {}   -- counter -> field -> by how much
local known = {}     -- counter -> field -> value, where the script has read it

-- The audit's sums cover the jobs up to a sequence number and move along with the counters, so that
-- they are exact when its walk ends.
local audited
local function tally(counter, field, by, j)
  local fields = tallies[counter] or {}
  tallies[counter] = fields
  fields[field] = (fields[field] or 0) + by
  audited = audited or tonumber(call('HGET', P .. 'cfg', 'audited') or -1)
  if j.sq <= audited then call('HINCRBY', P .. 'audn', counter .. ' ' .. field, by) end
end

-- What is noted but not written yet.
local function pending(counter, field)
  return tallies[counter] and tallies[counter][field] or 0
end

local function settle()
  local ended = {}  -- tenants without an open job
  for counter, fields in pairs(tallies) do
    local values, set = known[counter] or {}, {}
    for field, by in pairs(fields) do
      if by ~= 0 and values[field] then
        set[#set + 1] = field
        set[#set + 1] = string.format('%d', values[field] + by)
      elseif by ~= 0 then
        local value = call('HINCRBY', P .. counter, field, string.format('%d', by))
        if counter == 'tn' and value <= 0 then ended[#ended + 1] = field end
      end
    end
    if #set > 0 then call('HSET', P .. counter, unpack(set)) end
  end
  if #ended > 0 then
    call('HDEL', P .. 'tn', unpack(ended))
    call('HDEL', P .. 'tr', unpack(ended))
  end
end

-- Sets the state, counts the version and tells the listeners (the format is event_codec.h's).
local function enter(j, st)
  j.v, j.st, j.ch = j.v + 1, st, NOW
  changed[j.id] = j
  local own = j.own or ''
  events[#events + 1] = '1 ' .. j.id .. ' ' .. j.v .. ' ' .. j.ep .. ' ' .. st .. ' - ' .. j.cks ..
                        ' 0 0 0 ' .. #own .. ' 0\n' .. own
end

-- A worker that found nothing has left a token in `idle`; each job that becomes ready turns one
-- into a ring of the bell.
local function ring_bell(times)
  rings = rings + (times or 1)
end

local function wake()
  local idle = tonumber(call('GET', P .. 'idle') or 0)
  rings = math.min(rings, idle)
  if rings <= 0 then return end
  call('DECRBY', P .. 'idle', rings)
  local tokens = {}
  for n = 1, rings do tokens[n] = '1' end
  if call('RPUSH', P .. 'bell', unpack(tokens)) > 256 then call('LTRIM', P .. 'bell', -256, -1) end
end

-- The last thing that a script does -> its reply.
local function commit(reply)
  settle()
  local records = {}
  for id, j in pairs(changed) do
    j.id, j.spec_at = nil, nil
    records[#records + 1] = P .. 'j:' .. id
    records[#records + 1] = cmsgpack.pack(j)
  end
  if #records > 0 then call('MSET', unpack(records)) end
  if #gone > 0 then call('ZADD', P .. 'gone', unpack(gone)) end
  -- The jobs have moved already: an event that can't be sent, for the user may lack the channel, must
  -- not fail the script.
  if #events > 0 then redis.pcall('PUBLISH', P .. 'ev', table.concat(events)) end
  if rings > 0 then wake() end
  return reply
end

-- The job takes over what its terminal record says, and is to be forgotten after a while.
local function conclude(j, st)
  enter(j, st)
  gone[#gone + 1] = string.format('%d', NOW + j.keep)
  gone[#gone + 1] = j.id
end
