#!lua flags=allow-oom
-- AUDIT: one part of a round that compares every job that has not ended with the indexes
-- (lib/round.lua); each call takes it on by about `limit` entries.
-- ARGV: 2 cursor ('due': what the pace allows; '': begin, or join; 'everything': and read all keys;
--       else of the last answer), 3 limit
-- -> {cursor (empty: the round is over, or nothing is due), entries looked at, repairs,
--     {sentence, ...}}
--
-- A round goes through phases:
--   rings   drop tenants without jobs, and jobs at the heads of lists that are not ready; note in
--           `auds` who stands in which ring
--   park    the same for parked tenants; who may have jobs running comes back into the rings
--   live    walks the jobs that have not ended in the order of their submits and puts back what
--           their state says is missing. Meanwhile it adds up the counters in `audn`; transitions of
--           jobs that are counted already (sequence <= cfg.audited) move the sums along
--           (lib/counts.lua), so that they are exact at the end. Notes in `old` the oldest ready job of
--           each model
--   sums    compares the counters with the sums, which all transitions move along now. Where they
--           differ, or all keys are wanted, `keys` and the walk again come first; then they are replaced
--   keys    SCANs for jobs that `live` has lost and for lists that no ring knows
--   lease, delay, seal, due, tk   drop members that the state does not name
-- What it does to a job changes neither its state nor its epoch.
local core = require('core')
local keys = require('keys')
local record = require('record')
local counts = require('counts')
local change = require('change')
local ring = require('ring')
local index = require('index')
local round = require('round')
local check = require('check')
local room = require('tenant').room
local call = core.call

local ALL = '1000000000000000'  -- beyond every job's number
local phases = {}

-- Entries at the head of the list that are not ready go; so does a tenant whose list is empty.
-- True: it stays.
local function check_list_of(model, class, tenant, head)
  round.saw(1, 9)
  if head and record.state_of(head) == 'QUEUED' then return true end
  local list = keys.list(model, class, tenant)
  for _ = 1, 64 do
    if not index.is_stale(call('LINDEX', list, 0)) then break end
    call('LPOP', list)
    round.repair('list: dropped an entry of ' .. tenant)
  end
  if call('EXISTS', list) == 1 then return true end
  ring.drop(model, class, tenant)
  round.repair('ring: dropped ' .. tenant .. ' from ' .. model .. ':' .. class)
  return false
end

-- The heads of the tenants' lists, whose jobs are read.
local function read_heads(model, class, tenants)
  local heads, ids = {}, {}
  for _, tenant in ipairs(tenants) do
    local id = call('LINDEX', keys.list(model, class, tenant), 0)
    heads[tenant] = id
    if id then ids[#ids + 1] = id end
  end
  if #ids > 0 then record.read_all(ids) end
  return heads
end

-- Tenants that were met before may stand there twice, or have been moved on by their turn.
local function check_twice(name, places, page)
  local met = call('SMISMEMBER', keys.audit_rings, unpack(places))
  local here = {}
  for n, tenant in ipairs(page) do
    if (met[n] == 1 or here[tenant]) and not round.is_long() then
      round.searched(name)
      if #call('LPOS', name, tenant, 'COUNT', 2) == 2 then
        call('LREM', name, -1, tenant)
        round.repair('ring: dropped a second ' .. tenant)
      end
    end
    here[tenant] = true
  end
end

local function check_ring(model, class, page)
  local places = {}
  for n, tenant in ipairs(page) do places[n] = model .. ':' .. class .. ':' .. tenant end
  check_twice(keys.ring(model, class), places, page)
  local heads, checked, kept = read_heads(model, class, page), {}, {}
  for n, tenant in ipairs(page) do
    if not checked[tenant] and check_list_of(model, class, tenant, heads[tenant]) then
      kept[#kept + 1] = places[n]
    end
    checked[tenant] = true
  end
  if #kept > 0 then call('SADD', keys.audit_rings, unpack(kept)) end
end

local function sorted_models()
  local models = call('HKEYS', keys.models)
  table.sort(models)
  return models
end

-- `at`: number of the ring, and the place in it.
function phases.rings(state)
  if state.at == '0' then call('UNLINK', keys.audit_rings) end
  local number, place = state.at:match('^(%d+) (%d+)$')
  number, place = tonumber(number or 0), tonumber(place or 0)
  local model, class = sorted_models()[math.floor(number / 4) + 1], number % 4
  if not model then return round.enter('park') end
  local page = call('LRANGE', keys.ring(model, class), place, place + round.PAGE - 1)
  if #page > 0 then check_ring(model, class, page) end
  round.saw(1, 2)
  if #page < round.PAGE then
    round.go_on(number + 1 .. ' 0')
  else
    round.go_on(number .. ' ' .. place + #page)
  end
end

-- One whose counter was mended may have room now.
function phases.park(state)
  local answer = call('HSCAN', keys.parked, state.at, 'COUNT', round.PAGE)
  for i = 1, #answer[2], 2 do
    local tenant = answer[2][i]
    for model, class in answer[2][i + 1]:gmatch('(%S+):(%d)') do
      check_list_of(model, class, tenant, call('LINDEX', keys.list(model, class, tenant), 0))
    end
    if room(tenant) > 0 and ring.unpark(tenant) then round.repair('park: let go ' .. tenant) end
    round.saw(1, 5)
  end
  if answer[1] ~= '0' then return round.go_on(answer[1]) end
  call('HSET', keys.config, 'audited', 0)
  call('UNLINK', keys.audit_sums, keys.audit_oldest)
  round.enter('live')
end

-- Behind `before`, the job of this list that the walk has met last, or at the end that its age
-- names. Returns its place.
local function insert(list, job, before)
  round.repair('list: put back ' .. job.id)
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
-- last, or at the head; only otherwise it is searched for.
local met = {}
local function check_list(job)
  local list = keys.list(job.model, job.class, job.tenant)
  local before = met[list]
  local place = before and before.place + 1 or 0
  if call('LINDEX', list, place) ~= job.id then
    round.searched(list)
    place = call('LPOS', list, job.id) or insert(list, job, before)
  end
  if not before then check.tenant(job.model, job.class, job.tenant) end
  met[list] = {id = job.id, place = place}
end

local sums = {}
local function count(job)
  counts.each(job, function(key, field, is_cost)
    local name = key .. ' ' .. field
    sums[name] = (sums[name] or 0) + (is_cost and job.cost or 1)
  end)
end

local function write_sums()
  local names, values = {}, {}
  for name in pairs(sums) do names[#names + 1] = name end
  if #names == 0 then return end
  for n, before in ipairs(call('HMGET', keys.audit_sums, unpack(names))) do
    values[2 * n - 1], values[2 * n] = names[n], core.text((before or 0) + sums[names[n]])
  end
  call('HSET', keys.audit_sums, unpack(values))
  sums = {}
end

local function fields_of(key)
  local found = {}
  for _, field in ipairs(call('HKEYS', key)) do found[field] = true end
  return found
end

local named, aged  -- models with a name; those whose oldest ready job is known
local function check_model(job)
  named, aged = named or fields_of(keys.models), aged or fields_of(keys.audit_oldest)
  if not named[job.model] then
    named[job.model] = true
    call('HSET', keys.models, job.model, job.model_name or job.model)
    round.repair('models: put back ' .. job.model)
  end
  if job.state == 'QUEUED' and not aged[job.model] and
     not ring.is_parked(job.model, job.class, job.tenant) then
    aged[job.model] = true
    call('HSET', keys.audit_oldest, job.model, job.id)
  end
end

local function check_live(id, score, listed)
  local job = record.fetch(id)
  if not job or not counts.is_open(job) then return round.drop(keys.live, id) end
  if job.sequence ~= tonumber(score) then
    call('ZADD', keys.live, core.text(job.sequence), id)
    round.repair('live: moved ' .. id)
    if job.sequence > tonumber(score) then return end  -- the walk will meet it there
  end
  if not listed then round.put_back(keys.all, id, job.sequence) end
  count(job)
  if job.state == 'QUEUED' then
    check_list(job)
  elseif job.state == 'WAIT' then
    round.put_back(keys.delays, id, core.now)
  elseif job.state == 'LEASED' then
    round.put_back(keys.leases, id, core.now + job.lease)
  else
    round.put_back(keys.seals, id, core.now)
  end
  if job.deadline > 0 and (job.state == 'QUEUED' or job.state == 'WAIT') then
    round.put_back(keys.deadlines, id, job.deadline)
  end
  check_model(job)
end

-- All of them were counted: from here on every transition moves the sums.
local function end_walk()
  if call('EXISTS', keys.audit_oldest) == 1 then
    call('RENAME', keys.audit_oldest, keys.oldest)
  else
    call('DEL', keys.oldest)
  end
  call('HSET', keys.config, 'audited', ALL)
  round.enter('sums')
end

function phases.live(state)
  local page = call('ZRANGE', keys.live, '(' .. state.at, '+inf', 'BYSCORE', 'LIMIT', 0, round.PAGE,
                    'WITHSCORES')
  local at, whole = state.at, #page < 2 * round.PAGE
  local ids = {}
  for i = 1, #page, 2 do ids[#ids + 1] = page[i] end
  local listed = #ids > 0 and call('ZMSCORE', keys.all, unpack(ids))
  if #ids > 0 then record.read_all(ids) end
  for i = 1, #page, 2 do
    check_live(page[i], page[i + 1], listed[(i + 1) / 2])
    round.saw(1, 17)
    at = page[i + 1]
    if round.is_long() and i + 2 <= #page then
      whole = false
      break
    end
  end
  round.go_on(at)
  call('HSET', keys.config, 'audited', at)
  write_sums()
  if whole then end_walk() end
end

-- False: the counters are to be made anew from a walk that has read all keys before.
local function agree(name, value, sum, state)
  if value == sum then return true end
  if not state.read then return false end
  local key, field = name:match('^(.*) (%S+)$')
  if sum == 0 then
    call('HDEL', key, field)
  else
    call('HSET', key, field, core.text(sum))
  end
  round.repair('counter ' .. round.short(name) .. ': ' .. sum)
  return true
end

-- -> the cursor to go on with, or nil: they do not agree
local function check_sums(cursor, state)
  local answer = call('HSCAN', keys.audit_sums, cursor, 'COUNT', 2 * round.PAGE)
  for i = 1, #answer[2], 2 do
    local name, sum = answer[2][i], tonumber(answer[2][i + 1])
    local value = tonumber(call('HGET', name:match('^(.*) (%S+)$')) or 0)
    if not agree(name, value, sum, state) then return nil end
  end
  round.saw(#answer[2] / 2, 5)
  return answer[1]
end

-- What the counter has and no sum knows.
local function check_counter(key, cursor, state)
  local answer = call('HSCAN', key, cursor, 'COUNT', 2 * round.PAGE)
  for i = 1, #answer[2], 2 do
    local name, value = key .. ' ' .. answer[2][i], tonumber(answer[2][i + 1])
    if value ~= 0 and not call('HGET', keys.audit_sums, name) and not agree(name, value, 0, state) then
      return nil
    end
  end
  round.saw(#answer[2] / 2, 3)
  return answer[1]
end

local function stop_counting()
  call('HSET', keys.config, 'audited', -1)
  call('UNLINK', keys.audit_sums)
end

local function read_keys()
  stop_counting()
  round.enter('keys')
end

local function check_sequence()
  local sequence = tonumber(call('GET', keys.sequence) or 0)
  for _, set in ipairs({keys.all, keys.dead}) do
    local last = call('ZRANGE', set, -1, -1, 'WITHSCORES')
    if last[2] and tonumber(last[2]) > sequence then
      sequence = tonumber(last[2])
      call('SET', keys.sequence, last[2])
      round.repair('seq: ' .. last[2])
    end
  end
end

local function end_sums()
  stop_counting()
  call('UNLINK', keys.audit_rings)
  check_sequence()
  round.enter('lease')
end

-- `at`: number of the counter (1: the sums), and the cursor in it.
function phases.sums(state)
  if state.wanted and not state.read then return read_keys() end
  local number, cursor = state.at:match('^(%d+) (%d+)$')
  number, cursor = tonumber(number or 1), cursor or '0'
  local counters = {keys.audit_sums, keys.open, keys.running}
  for _, model in ipairs(sorted_models()) do counters[#counters + 1] = keys.depth(model) end
  local following
  if number == 1 then
    following = check_sums(cursor, state)
  else
    following = check_counter(counters[number], cursor, state)
  end
  round.saw(1, 3)
  if not following then
    round.note('mended')
    read_keys()
  elseif following ~= '0' then
    round.go_on(number .. ' ' .. following)
  elseif number < #counters then
    round.go_on(number + 1 .. ' 0')
  else
    end_sums()
  end
end

phases.keys = check.keys_phase(function()
  round.note('read')
  round.enter('rings')
end)

local function enter(phase)
  return function() round.enter(phase) end
end
phases.lease = check.index_phase(keys.leases, enter('delay'),
                                 function(job) return job.state == 'LEASED' end)
phases.delay = check.index_phase(keys.delays, enter('seal'),
                                 function(job) return job.state == 'WAIT' end)
phases.seal = check.index_phase(keys.seals, enter('due'),
                                function(job) return job.state == 'SEALING' end)
phases.due = check.index_phase(keys.deadlines, enter('tk'), function(job)
  return job.state == 'QUEUED' or job.state == 'WAIT'
end)

function phases.tk(state)
  local answer = call('HSCAN', keys.nonces, state.at, 'COUNT', round.PAGE)
  for i = 1, #answer[2], 2 do
    local nonce, job = answer[2][i], record.fetch(answer[2][i + 1])
    if not job or job.state ~= 'LEASED' or job.nonce ~= nonce then
      call('HDEL', keys.nonces, nonce)
      round.repair('tk: dropped ' .. nonce)
    end
  end
  round.saw(#answer[2] / 2, 12)
  if answer[1] == '0' then round.finish() else round.go_on(answer[1]) end
end

local report = round.walk(keys.audit, phases, 'rings', {share = 0.06, mending = 0.2, rest = 5000})
return change.commit(report)
