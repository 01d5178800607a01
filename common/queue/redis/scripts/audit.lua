#!lua flags=allow-oom
-- AUDIT: one part of a round that compares every job with the indexes. All callers share one
-- round, which `aud` describes; each call takes it on by about `limit` entries.
-- ARGV: 2 cursor ('': begin, or join; 'everything': and read all keys; else of the last answer),
--       3 limit
-- -> {cursor (empty: the round is over), entries looked at, repairs, {sentence, ...}}
--
-- A round goes through phases:
--   keys    only when asked for, or when the next phase found counters that disagree: SCANs for
--           jobs that `live` has lost and for lists that no ring knows
--   live    walks the jobs that have not ended in the order of their submits and puts back what
--           their state says is missing. Meanwhile it adds up the counters in `audn`;
--           transitions of jobs that are counted already (sequence <= cfg.audited) move the sums
--           along (lib/counts.lua), so at the end of the walk they are exact and replace the
--           counters
--   lease, delay, seal, due, dead, gone, all, tk   drop members that the state does not name;
--           `gone` and `all` put back into each other the jobs that ended
--   rings   drop tenants without jobs, and jobs at the heads of lists that are not ready
-- What it does to a job changes neither its state nor its epoch.
local core = require('core')
local keys = require('keys')
local record = require('record')
local counts = require('counts')
local change = require('change')
local ring = require('ring')
local index = require('index')
local room = require('tenant').room
local call = core.call
local limit = tonumber(ARGV[3])
local looked, repaired, sentences = 0, 0, {}
local scanned = 0  -- entries that LPOS went over
local SCAN_MOST = 200000

local function repair(sentence)
  repaired = repaired + 1
  if #sentences < 20 then sentences[#sentences + 1] = sentence end
end

-- How reports name a key.
local function short(key)
  return key:sub(#core.prefix + 1)
end

local function drop(set, id)
  call('ZREM', set, id)
  repair(short(set) .. ': dropped ' .. id)
end

local function put_back(set, id, score)
  if call('ZADD', set, 'NX', core.text(score), id) == 1 then
    repair(short(set) .. ': put back ' .. id)
  end
end

-- A tenant with a list is in the ring or parked, and has used something.
local function check_ring(model, class, tenant)
  local name = keys.ring(model, class)
  scanned = scanned + call('LLEN', name)
  if ring.open_share(model, class, tenant) then
    repair('share: put back ' .. tenant .. ' for ' .. model .. ':' .. class)
  end
  if not call('LPOS', name, tenant) and not ring.is_parked(model, class, tenant) then
    call('RPUSH', name, tenant)
    change.ring_bell()
    repair('ring: put back ' .. tenant .. ' for ' .. model .. ':' .. class)
  end
end

-- Behind `before`, the job of this list that the walk has met last, or at the end that its age
-- names. Returns its place.
local function insert(list, job, before)
  repair('list: put back ' .. job.id)
  change.ring_bell()
  if before then
    call('LINSERT', list, 'AFTER', before.id, job.id)
    return before.place + 1
  end
  local head = call('LINDEX', list, 0)
  local first = head and record.fetch(head)
  if first and first.sequence > job.sequence then
    call('LPUSH', list, job.id)
    return 0
  end
  return call('RPUSH', list, job.id) - 1
end

-- The walk meets the jobs of a list mostly in its order, so the next one stands mostly behind the
-- last; only otherwise it is searched for.
local met = {}
local function check_list(job)
  local list = keys.list(job.model, job.class, job.tenant)
  local before = met[list]
  local place = before and before.place + 1
  if not place or call('LINDEX', list, place) ~= job.id then
    scanned = scanned + call('LLEN', list)
    place = call('LPOS', list, job.id) or insert(list, job, before)
  end
  if not before then check_ring(job.model, job.class, job.tenant) end
  met[list] = {id = job.id, place = place}
end

local sums = {}
local function add(key, field)
  local name = key .. ' ' .. field
  sums[name] = (sums[name] or 0) + 1
end

local named = {}  -- models that are known to have a name
local function check_live(id, score, listed)
  local job = record.fetch(id)
  if not job or not counts.is_open(job) then return drop(keys.live, id) end
  if job.sequence ~= tonumber(score) then
    call('ZADD', keys.live, core.text(job.sequence), id)
    repair('live: moved ' .. id)
    if job.sequence > tonumber(score) then return end  -- the walk will meet it there
  end
  if not listed then put_back(keys.all, id, job.sequence) end
  if not named[job.model] then
    named[job.model] = true
    if call('HSETNX', keys.models, job.model, job.model_name or job.model) == 1 then
      repair('models: put back ' .. job.model)
    end
  end
  counts.each(job, add)
  if job.state == 'QUEUED' then
    check_list(job)
  elseif job.state == 'WAIT' then
    put_back(keys.delays, id, core.now)
  elseif job.state == 'LEASED' then
    put_back(keys.leases, id, core.now + job.lease)
  else
    put_back(keys.seals, id, core.now)
  end
  if job.deadline > 0 and (job.state == 'QUEUED' or job.state == 'WAIT') then
    put_back(keys.deadlines, id, job.deadline)
  end
end

-- The counters as they are: key and field -> number.
local function counters()
  local found = {}
  local function read(key)
    local fields = call('HGETALL', key)
    for i = 1, #fields, 2 do found[key .. ' ' .. fields[i]] = tonumber(fields[i + 1]) end
  end
  read(keys.open)
  read(keys.running)
  for _, model in ipairs(call('HKEYS', keys.models)) do read(keys.depth(model)) end
  return found
end

-- Calls `wrong` for each counter that is not its sum; true if there is one.
local function compare(wrong)
  local differ, actual = false, counters()
  local flat = call('HGETALL', keys.audit_sums)
  for i = 1, #flat, 2 do
    local sum = tonumber(flat[i + 1])
    if sum ~= (actual[flat[i]] or 0) then
      differ = true
      wrong(flat[i], sum)
    end
    actual[flat[i]] = nil
  end
  for name, value in pairs(actual) do
    if value ~= 0 then
      differ = true
      wrong(name, 0)
    end
  end
  return differ
end

local function correct(name, sum)
  local key, field = name:match('^(.*) (%S+)$')
  if sum == 0 then
    call('HDEL', key, field)
  else
    call('HSET', key, field, sum)
  end
  repair('counter ' .. short(name) .. ': ' .. sum)
end

local function enter_phase(phase)
  call('HSET', keys.audit, 'phase', phase, 'at', '0')
  call('HSET', keys.config, 'audited', phase == 'live' and 0 or -1)
  call('DEL', keys.audit_sums)
end

local function next_after_live(round)
  local damaged = compare(function() end)
  if (damaged or round.wanted == '1') and round.read ~= '1' then return enter_phase('keys') end
  if damaged then compare(correct) end
  local seq = tonumber(call('GET', keys.sequence) or 0)
  for _, set in ipairs({keys.all, keys.dead}) do
    local last = call('ZRANGE', set, -1, -1, 'WITHSCORES')
    if last[2] and tonumber(last[2]) > seq then
      seq = tonumber(last[2])
      call('SET', keys.sequence, last[2])
      repair('seq: ' .. last[2])
    end
  end
  enter_phase('lease')
end

local phases = {}

function phases.live(round)
  local page = call('ZRANGE', keys.live, '(' .. round.at, '+inf', 'BYSCORE', 'LIMIT', 0, limit,
                    'WITHSCORES')
  local at, whole = round.at, #page < 2 * limit
  local ids = {}
  for i = 1, #page, 2 do ids[#ids + 1] = page[i] end
  local listed = #ids > 0 and call('ZMSCORE', keys.all, unpack(ids))
  if #ids > 0 then record.read_all(ids) end
  for i = 1, #page, 2 do
    check_live(page[i], page[i + 1], listed[(i + 1) / 2])
    looked = looked + 1
    at = page[i + 1]
    if scanned > SCAN_MOST and i + 2 <= #page then
      whole = false
      break
    end
  end
  call('HSET', keys.audit, 'at', at)
  call('HSET', keys.config, 'audited', at)
  for name, by in pairs(sums) do call('HINCRBY', keys.audit_sums, name, by) end
  sums = {}
  if whole then next_after_live(round) end
end

local function check_key(key)
  local kind, rest = short(key):match('^([sq]):(.*)$')
  if kind == 's' then
    local job = record.fetch(rest)
    if job and counts.is_open(job) then put_back(keys.live, rest, job.sequence) end
    if job then put_back(keys.all, rest, job.sequence) end
  elseif kind == 'q' then
    local model, class, tenant = rest:match('^([^:]+):(%d):([^:]+)$')
    if model then check_ring(model, class, tenant) end
  end
end

function phases.keys(round)
  local answer = call('SCAN', round.at, 'MATCH', core.prefix .. '[sq]:*', 'COUNT', limit)
  for _, key in ipairs(answer[2]) do check_key(key) end
  looked = looked + math.max(#answer[2], 1)
  if answer[1] == '0' then
    call('HSET', keys.audit, 'read', 1)
    enter_phase('live')
  else
    call('HSET', keys.audit, 'at', answer[1])
  end
end

-- A phase that drops from an index what `belongs` denies. The lists of all jobs and of dead letters
-- outlive the records; what they forget is no repair.
local function index_phase(phase, set, following, belongs)
  local outlives = set == keys.all or set == keys.dead
  phases[phase] = function(round)
    local answer = call('ZSCAN', set, round.at, 'COUNT', limit)
    for i = 1, #answer[2], 2 do
      local id = answer[2][i]
      local job = record.fetch(id)
      if not job and outlives then
        call('ZREM', set, id)
      elseif not job or not belongs(job) then
        drop(set, id)
      end
      looked = looked + 1
    end
    if answer[1] == '0' then
      enter_phase(following)
    else
      call('HSET', keys.audit, 'at', answer[1])
    end
  end
end
index_phase('lease', keys.leases, 'delay', function(job) return job.state == 'LEASED' end)
index_phase('delay', keys.delays, 'seal', function(job) return job.state == 'WAIT' end)
index_phase('seal', keys.seals, 'due', function(job) return job.state == 'SEALING' end)
index_phase('due', keys.deadlines, 'dead', function(job)
  return job.state == 'QUEUED' or job.state == 'WAIT'
end)
index_phase('dead', keys.dead, 'gone', function(job) return job.state == 'DEAD' end)
index_phase('gone', keys.ended, 'all', function(job)
  if counts.is_open(job) then return false end
  put_back(keys.all, job.id, job.sequence)
  return true
end)
index_phase('all', keys.all, 'tk', function(job)
  if not counts.is_open(job) then put_back(keys.ended, job.id, core.now + job.keep) end
  return true
end)

function phases.tk(round)
  local answer = call('HSCAN', keys.nonces, round.at, 'COUNT', limit)
  for i = 1, #answer[2], 2 do
    local nonce, job = answer[2][i], record.fetch(answer[2][i + 1])
    if not job or job.state ~= 'LEASED' or job.nonce ~= nonce then
      call('HDEL', keys.nonces, nonce)
      repair('tk: dropped ' .. nonce)
    end
    looked = looked + 1
  end
  if answer[1] == '0' then enter_phase('rings') else call('HSET', keys.audit, 'at', answer[1]) end
end

-- Entries at the head of the list that are not ready go; so does a tenant whose list is empty.
local function check_tenant(model, class, tenant)
  local list = keys.list(model, class, tenant)
  for _ = 1, 64 do
    if not index.is_stale(call('LINDEX', list, 0)) then break end
    call('LPOP', list)
    repair('list: dropped an entry of ' .. tenant)
  end
  if call('EXISTS', list) == 0 then
    ring.drop(model, class, tenant)
    repair('ring: dropped ' .. tenant .. ' from ' .. model .. ':' .. class)
  end
  looked = looked + 1
end

-- The parked tenants, after the last ring. One whose counter was mended may have room now.
local function check_parked()
  for _, tenant in ipairs(call('HKEYS', keys.parked)) do
    for model, class in call('HGET', keys.parked, tenant):gmatch('(%S+):(%d)') do
      check_tenant(model, class, tenant)
    end
    if room(tenant) > 0 and ring.unpark(tenant) then repair('park: let go ' .. tenant) end
  end
  call('HDEL', keys.audit, 'phase', 'at', 'wanted', 'read')
end

function phases.rings(round)
  local models = call('HKEYS', keys.models)
  table.sort(models)
  local at = tonumber(round.at)
  local model, class = models[math.floor(at / 4) + 1], at % 4
  if not model then return check_parked() end
  local name, seen = keys.ring(model, class), {}
  for _, tenant in ipairs(call('LRANGE', name, 0, -1)) do
    if seen[tenant] then
      call('LREM', name, -1, tenant)
      repair('ring: dropped a second ' .. tenant)
    else
      seen[tenant] = true
      check_tenant(model, class, tenant)
    end
  end
  looked = looked + 1
  call('HSET', keys.audit, 'at', at + 1)
end

local function read_round()
  local s = call('HMGET', keys.audit, 'round', 'phase', 'at', 'wanted', 'read')
  return {round = s[1], phase = s[2], at = s[3], wanted = s[4], read = s[5]}
end

local round = read_round()
local everything = ARGV[2] == 'everything'
if not everything and ARGV[2] ~= '' and (ARGV[2] ~= round.round or not round.phase) then
  return {'', 0, 0, {}}
end
if not phases[round.phase] then
  call('HINCRBY', keys.audit, 'round', 1)
  enter_phase(everything and 'keys' or 'live')
elseif everything and round.read ~= '1' then
  call('HSET', keys.audit, 'wanted', 1)
end
repeat
  round = read_round()
  if round.phase then phases[round.phase](round) end
until not round.phase or looked >= limit or scanned > SCAN_MOST
return change.commit({round.phase and round.round or '', looked, repaired, sentences})
