-- A job is two strings, packed with MessagePack:
--   s:<id>  what was submitted, written once: an array (the names below), then the spec's bytes
--   j:<id>  what has become of it: a map of the fields below. Absent until somebody touches the job
-- Fields: st state, v version, ep epoch, c class, m t keys of model and tenant (mn tname: their
-- names where they differ), dl deadline, keep ms after the end, sq number, cost, enq ch times of
-- submit and last transition, own node nonce lease wm owner, ph u tp step its progress, ck cks
-- checkpoint and its step, tries crash cn back failures, why code want res end, solo, pm pn
-- preemption. One that is not there is none, or 0.
-- Each script has its jobs once, however often it asks; what it changes is written at its end
-- (commit in change.lua).
local jobs = {}   -- id -> job, or false: unknown
local bodies = {}  -- id -> bytes of s:<id>, where they were read

-- What is no record of ours counts as unknown: an error would stop every script that meets it.
local function decode(bytes)
  local ok, j = pcall(cmsgpack.unpack, bytes)
  return ok and type(j) == 'table' and j.m and j or false
end

-- The array of s:<id>, and where the spec begins.
local function header(bytes)
  local ok, at, h = pcall(cmsgpack.unpack_one, bytes)
  if ok and type(h) == 'table' then return h, at + 1 end
  return {}, 1
end

local function spec_of(j)
  local bytes, at = bodies[j.id] or call('GET', P .. 's:' .. j.id), j.spec_at
  if not bytes then return '' end
  if not at then at = select(2, header(bytes)) end
  return bytes:sub(at)
end

local function submitted(bytes)
  local h, at = header(bytes)
  return h[2] and {spec_at = at, st = 'QUEUED', v = 1, ep = 0, cks = 0, c = h[1], m = h[2], t = h[3],
                   cost = h[4], dl = h[5], keep = h[6], sq = h[7], enq = h[8], mn = h[10] or nil,
                   tname = h[11] or nil, solo = h[12] or nil}
end

local function keep_job(id, record, body)
  local j = record and decode(record) or (not record and body and submitted(body))
  if j then j.id = id end
  jobs[id] = j or false
  bodies[id] = body or nil
end

-- The job, or nil if it is unknown.
local function fetch(id)
  if jobs[id] == nil then
    local record = call('GET', P .. 'j:' .. id)
    keep_job(id, record, not record and call('GET', P .. 's:' .. id))
  end
  return jobs[id] or nil
end

-- Reads several at once, with their specs.
local function read_all(ids)
  local keys = {}
  for n, id in ipairs(ids) do
    keys[2 * n - 1], keys[2 * n] = P .. 'j:' .. id, P .. 's:' .. id
  end
  local values = call('MGET', unpack(keys))
  for n, id in ipairs(ids) do
    if jobs[id] == nil then keep_job(id, values[2 * n - 1], values[2 * n]) end
  end
end

-- Reads several at once that are known to have a record.
local function read_records(ids)
  local keys = {}
  for n, id in ipairs(ids) do keys[n] = P .. 'j:' .. id end
  local records = call('MGET', unpack(keys))
  for n, id in ipairs(ids) do
    if records[n] then keep_job(id, records[n]) end
  end
end

local function state(id)
  local j = fetch(id)
  return j and j.st
end

local function is_owner(j, epoch, nonce)
  return j.ep == epoch and j.nonce == nonce
end
