-- A job is two strings, packed with MessagePack: s:<id> and j:<id>, arrays of the fields that
-- job_fields.h names. For scripts it is a table of these fields and `id`; a number that says
-- nothing is 0 in it, a text is false. Each script has a job once, however often it asks; what it
-- changes is written at its end (commit in change.lua).
local core = require('core')
local keys = require('keys')
local call = core.call

local SUBMITTED = $(kSubmittedFields)

local jobs = {}    -- id -> job, or false: unknown
local bodies = {}  -- id -> bytes of s:<id>, where they were read

-- What is packed at the head of s:<id>, and where the spec begins; nil: no record of ours, which
-- counts as unknown, for an error would stop every script that meets it.
local function head_of(bytes)
  local ok, last, values = pcall(cmsgpack.unpack_one, bytes)
  if not ok or type(values) ~= 'table' or not values[2] then return nil end
  return values, last < 0 and #bytes + 1 or last + 1
end

-- The job as s:<id> has it, or nil. It says where its spec lies (`spec_at`).
local function submission(bytes)
  local values, spec_at = head_of(bytes)
  if not values then return nil end
  local job = $(kRecordFields:blank)
  for n = 1, #SUBMITTED do
    local name = SUBMITTED[n]
    job[name] = values[n] or job[name]
  end
  job.spec_at = spec_at
  return job
end

-- The job of j:<id>, or nil.
local function decode(bytes)
  local ok, values = pcall(cmsgpack.unpack, bytes)
  if not ok or type(values) ~= 'table' or not values[2] then return nil end
  return $(kRecordFields:of_values)
end

local function encode(job)
  return cmsgpack.pack($(kRecordFields:of_job))
end

local function encode_submission(job)
  return cmsgpack.pack($(kSubmittedFields:of_job))
end

-- A job that nobody has touched yet.
local function untouched(bytes)
  local job = submission(bytes)
  if job then job.state, job.version, job.changed = 'QUEUED', 1, job.enqueued end
  return job
end

local function keep(id, record, body)
  local job = record and decode(record) or (not record and body and untouched(body)) or false
  if job then job.id = id end
  jobs[id] = job
  bodies[id] = body or nil
end

-- The job, or nil if it is unknown.
local function fetch(id)
  if jobs[id] == nil then
    local record = call('GET', keys.record .. id)
    keep(id, record, not record and call('GET', keys.submission .. id))
  end
  return jobs[id] or nil
end

-- Reads several at once, with their specs.
local function read_all(ids)
  local names = {}
  for n, id in ipairs(ids) do
    names[2 * n - 1], names[2 * n] = keys.record .. id, keys.submission .. id
  end
  local values = call('MGET', unpack(names))
  for n, id in ipairs(ids) do
    if jobs[id] == nil then keep(id, values[2 * n - 1], values[2 * n]) end
  end
end

-- When each was submitted, nil for one that is unknown: of many jobs with no more than that read.
local function times_of(ids)
  local names, times = {}, {}
  for n, id in ipairs(ids) do names[n] = keys.submission .. id end
  local place
  for n, name in ipairs(SUBMITTED) do
    if name == 'enqueued' then place = n end
  end
  for n, bytes in ipairs(call('MGET', unpack(names))) do
    local values = bytes and head_of(bytes)
    times[n] = values and values[place] or nil
  end
  return times
end

local function spec_of(job)
  local bytes = bodies[job.id] or call('GET', keys.submission .. job.id)
  if not bytes then return '' end
  local at = job.spec_at
  if not at then
    local _
    _, at = head_of(bytes)
  end
  return at and bytes:sub(at) or ''
end

local function state_of(id)
  local job = fetch(id)
  return job and job.state
end

local function is_owner(job, epoch, nonce)
  return job.epoch == epoch and job.nonce == nonce
end

return {
  submission = submission, encode = encode, encode_submission = encode_submission, fetch = fetch,
  read_all = read_all, times_of = times_of, spec_of = spec_of, state_of = state_of,
  is_owner = is_owner,
}
