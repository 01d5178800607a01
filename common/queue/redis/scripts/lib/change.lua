-- What changes is noted while a script decides and written at its end, once for all of its jobs:
-- records, places in the indexes, counters, events, rings of the bell.
local core = require('core')
local keys = require('keys')
local record = require('record')
local counts = require('counts')
local call = core.call

local changed = {}  -- id -> job
local scores = {}   -- sorted set -> id -> score, or false: to be removed
local takes = {}    -- nonce -> id of the job that it got, or false: it has it no more
local events = {}
local rings = 0     -- of the bell

-- The job's record is to be written.
local function note(job)
  changed[job.id] = job
end

-- Puts the job into a sorted set, or moves it there; `score` false: takes it out.
local function place(index, id, score)
  local noted = scores[index] or {}
  scores[index] = noted
  noted[id] = score and core.text(score)
end

-- The nonce has the job (its id), or no job any more (false).
local function hold(nonce, id)
  takes[nonce] = id
end

-- Sets the state, counts the version and tells the listeners (the format is event_codec.h's).
local function enter(job, state)
  job.version, job.state, job.changed = job.version + 1, state, core.now
  note(job)
  local worker = job.worker or ''
  events[#events + 1] = table.concat({'1', job.id, job.version, job.epoch, state, '-',
                                      job.checkpoint_step, '0 0 0', #worker, '0\n'}, ' ') .. worker
end

-- A worker that found nothing has left a token in `idle`; each job that becomes ready turns one
-- into a ring of the bell.
local function ring_bell(times)
  rings = rings + (times or 1)
end

-- Wakes all who wait.
local function ring_all()
  ring_bell(math.huge)
end

local function wake()
  local idle = tonumber(call('GET', keys.idle) or 0)
  rings = math.min(rings, idle)
  if rings <= 0 then return end
  call('DECRBY', keys.idle, rings)
  local tokens = {}
  for n = 1, rings do tokens[n] = '1' end
  if call('RPUSH', keys.bell, unpack(tokens)) > 256 then call('LTRIM', keys.bell, -256, -1) end
end

-- For those who read an index after something has changed; commit does it at the end.
local function write_places()
  for index, noted in pairs(scores) do
    local put, removed = {}, {}
    for id, score in pairs(noted) do
      if score then
        put[#put + 1], put[#put + 2] = score, id
      else
        removed[#removed + 1] = id
      end
    end
    if #put > 0 then call('ZADD', index, unpack(put)) end
    if #removed > 0 then call('ZREM', index, unpack(removed)) end
  end
  scores = {}
end

local function write_takes()
  local held, over = {}, {}
  for nonce, id in pairs(takes) do
    if id then
      held[#held + 1], held[#held + 2] = nonce, id
    else
      over[#over + 1] = nonce
    end
  end
  if #held > 0 then call('HSET', keys.nonces, unpack(held)) end
  if #over > 0 then call('HDEL', keys.nonces, unpack(over)) end
end

local function write_records()
  local records = {}
  for id, job in pairs(changed) do
    records[#records + 1] = keys.record .. id
    records[#records + 1] = record.encode(job)
  end
  if #records > 0 then call('MSET', unpack(records)) end
end

-- The last thing that a script does -> its reply.
local function commit(reply)
  write_records()
  write_places()
  write_takes()
  counts.write()
  -- The jobs have moved already: an event that can't be sent, for the user may lack the channel,
  -- must not fail the script.
  if #events > 0 then redis.pcall('PUBLISH', keys.events, table.concat(events)) end
  if rings > 0 then wake() end
  return reply
end

return {
  note = note, place = place, hold = hold, enter = enter, ring_bell = ring_bell,
  ring_all = ring_all, write_places = write_places, commit = commit,
}
