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
--           their state says is missing. Meanwhile it adds up the counters in `audn`; transitions of
--           jobs that are counted already (sq <= cfg.audited) move the sums along (tally in
--           change.lua), so at the end of the walk they are exact and replace the counters
--   lease, delay, seal, due, dead, gone, all, tk   drop members that the state does not name;
--           `gone` and `all` put back into each other the jobs that ended
--   rings   drop tenants without jobs, and jobs at the heads of lists that are not ready
-- What it does to a job changes neither its state nor its epoch.
--#include core
--#include change
--#include ring
--#include index
local limit = tonumber(ARGV[3])
local looked, repaired, sentences = 0, 0, {}
local scanned = 0  -- entries that LPOS went over
local SCAN_MOST = 200000

local function repair(sentence)
  repaired = repaired + 1
  if #sentences < 20 then sentences[#sentences + 1] = sentence end
end

local function drop(index, id)
  call('ZREM', P .. index, id)
  repair(index .. ': dropped ' .. id)
end

local function put_back(index, id, score)
  if call('ZADD', P .. index, 'NX', score, id) == 1 then repair(index .. ': put back ' .. id) end
end

local function is_parked(m, c, t)
  local rings = call('HGET', P .. 'park', t)
  return rings and rings:find(' ' .. m .. ':' .. c .. ' ', 1, true)
end

-- A tenant with a list is in the ring or parked, and has used something.
local function check_ring(m, c, t)
  local ring = P .. 'ring:' .. m .. ':' .. c
  scanned = scanned + call('LLEN', ring)
  local used = P .. 'dq:' .. m .. ':' .. c
  if call('HSETNX', used, t, call('HGET', used, '#v') or 0) == 1 then
    repair('share: put back ' .. t .. ' for ' .. m .. ':' .. c)
  end
  if not call('LPOS', ring, t) and not is_parked(m, c, t) then
    call('RPUSH', ring, t)
    ring_bell()
    repair('ring: put back ' .. t .. ' for ' .. m .. ':' .. c)
  end
end

-- Behind `before`, the job of this list that the walk has met last, or at the end that its age
-- names. Returns its place.
local function insert(q, id, j, before)
  repair('list: put back ' .. id)
  ring_bell()
  if before then
    call('LINSERT', q, 'AFTER', before.id, id)
    return before.place + 1
  end
  local head = call('LINDEX', q, 0)
  local first = head and fetch(head)
  if first and first.sq > j.sq then
    call('LPUSH', q, id)
    return 0
  end
  return call('RPUSH', q, id) - 1
end

-- The walk meets the jobs of a list mostly in its order, so the next one stands mostly behind the
-- last; only otherwise it is searched for.
local met = {}
local function check_list(id, j)
  local q = P .. 'q:' .. j.m .. ':' .. j.c .. ':' .. j.t
  local before = met[q]
  local place = before and before.place + 1
  if not place or call('LINDEX', q, place) ~= id then
    scanned = scanned + call('LLEN', q)
    place = call('LPOS', q, id) or insert(q, id, j, before)
  end
  if not before then check_ring(j.m, j.c, j.t) end
  met[q] = {id = id, place = place}
end

local sums = {}
local function add(counter, field)
  local name = counter .. ' ' .. field
  sums[name] = (sums[name] or 0) + 1
end

local named = {}  -- models that are known to have a name
local function check_live(id, score, listed)
  local j = fetch(id)
  if not j or not LIVE[j.st] then return drop('live', id) end
  if j.sq ~= tonumber(score) then
    call('ZADD', P .. 'live', j.sq, id)
    repair('live: moved ' .. id)
    if j.sq > tonumber(score) then return end  -- the walk will meet it there
  end
  if not listed then put_back('all', id, j.sq) end
  if not named[j.m] then
    named[j.m] = true
    if call('HSETNX', P .. 'models', j.m, j.mn or j.m) == 1 then repair('models: put back ' .. j.m) end
  end
  add('tn', j.t)
  if j.st == 'QUEUED' then
    add('depth:' .. j.m, j.c)
    check_list(id, j)
  elseif j.st == 'WAIT' then
    add('depth:' .. j.m, 'wait')
    put_back('delay', id, NOW)
  elseif j.st == 'LEASED' then
    add('depth:' .. j.m, 'run')
    add('tr', j.t)
    put_back('lease', id, NOW + (j.lease or 0))
  else
    put_back('seal', id, NOW)
  end
  if j.dl > 0 and (j.st == 'QUEUED' or j.st == 'WAIT') then put_back('due', id, j.dl) end
end

-- The counters as they are: name of the counter and field -> number.
local function counters()
  local found = {}
  local function read(counter)
    local fields = call('HGETALL', P .. counter)
    for i = 1, #fields, 2 do found[counter .. ' ' .. fields[i]] = tonumber(fields[i + 1]) end
  end
  read('tn')
  read('tr')
  for _, model in ipairs(call('HKEYS', P .. 'models')) do read('depth:' .. model) end
  return found
end

-- Calls `wrong` for each counter that is not its sum; true if there is one.
local function compare(wrong)
  local differ, actual = false, counters()
  local flat = call('HGETALL', P .. 'audn')
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
  local counter, field = name:match('^(.*) (%S+)$')
  if sum == 0 then
    call('HDEL', P .. counter, field)
  else
    call('HSET', P .. counter, field, sum)
  end
  repair('counter ' .. name .. ': ' .. sum)
end

local function enter_phase(phase)
  call('HSET', P .. 'aud', 'phase', phase, 'at', '0')
  call('HSET', P .. 'cfg', 'audited', phase == 'live' and 0 or -1)
  call('DEL', P .. 'audn')
end

local function next_after_live(round)
  local damaged = compare(function() end)
  if (damaged or round.wanted == '1') and round.read ~= '1' then return enter_phase('keys') end
  if damaged then compare(correct) end
  local seq = tonumber(call('GET', P .. 'seq') or 0)
  for _, index in ipairs({'all', 'dead'}) do
    local last = call('ZRANGE', P .. index, -1, -1, 'WITHSCORES')
    if last[2] and tonumber(last[2]) > seq then
      seq = tonumber(last[2])
      call('SET', P .. 'seq', last[2])
      repair('seq: ' .. last[2])
    end
  end
  enter_phase('lease')
end

local phases = {}

function phases.live(round)
  local page = call('ZRANGE', P .. 'live', '(' .. round.at, '+inf', 'BYSCORE', 'LIMIT', 0, limit,
                    'WITHSCORES')
  local at, whole = round.at, #page < 2 * limit
  local ids = {}
  for i = 1, #page, 2 do ids[#ids + 1] = page[i] end
  local listed = #ids > 0 and call('ZMSCORE', P .. 'all', unpack(ids))
  if #ids > 0 then read_all(ids) end
  for i = 1, #page, 2 do
    check_live(page[i], page[i + 1], listed[(i + 1) / 2])
    looked = looked + 1
    at = page[i + 1]
    if scanned > SCAN_MOST and i + 2 <= #page then
      whole = false
      break
    end
  end
  call('HSET', P .. 'aud', 'at', at)
  call('HSET', P .. 'cfg', 'audited', at)
  for name, by in pairs(sums) do call('HINCRBY', P .. 'audn', name, by) end
  sums = {}
  if whole then next_after_live(round) end
end

local function check_key(key)
  local kind, rest = key:sub(#P + 1):match('^([sq]):(.*)$')
  if kind == 's' then
    local j = fetch(rest)
    if j and LIVE[j.st] then put_back('live', rest, j.sq) end
    if j then put_back('all', rest, j.sq) end
  elseif kind == 'q' then
    local m, c, t = rest:match('^([^:]+):(%d):([^:]+)$')
    if m then check_ring(m, c, t) end
  end
end

function phases.keys(round)
  local answer = call('SCAN', round.at, 'MATCH', P .. '[sq]:*', 'COUNT', limit)
  for _, key in ipairs(answer[2]) do check_key(key) end
  looked = looked + math.max(#answer[2], 1)
  if answer[1] == '0' then
    call('HSET', P .. 'aud', 'read', 1)
    enter_phase('live')
  else
    call('HSET', P .. 'aud', 'at', answer[1])
  end
end

-- A phase that drops from an index what `belongs` denies. The lists of all jobs and of dead letters
-- outlive the records; what they forget is no repair.
local function index_phase(index, following, belongs)
  local outlives = index == 'all' or index == 'dead'
  phases[index] = function(round)
    local answer = call('ZSCAN', P .. index, round.at, 'COUNT', limit)
    for i = 1, #answer[2], 2 do
      local id = answer[2][i]
      local j = fetch(id)
      if not j and outlives then
        call('ZREM', P .. index, id)
      elseif not j or not belongs(j) then
        drop(index, id)
      end
      looked = looked + 1
    end
    if answer[1] == '0' then enter_phase(following) else call('HSET', P .. 'aud', 'at', answer[1]) end
  end
end
index_phase('lease', 'delay', function(j) return j.st == 'LEASED' end)
index_phase('delay', 'seal', function(j) return j.st == 'WAIT' end)
index_phase('seal', 'due', function(j) return j.st == 'SEALING' end)
index_phase('due', 'dead', function(j) return j.st == 'QUEUED' or j.st == 'WAIT' end)
index_phase('dead', 'gone', function(j) return j.st == 'DEAD' end)
index_phase('gone', 'all', function(j)
  if not LIVE[j.st] then put_back('all', j.id, j.sq) end
  return not LIVE[j.st]
end)
index_phase('all', 'tk', function(j)
  if not LIVE[j.st] then put_back('gone', j.id, NOW + j.keep) end
  return true
end)

function phases.tk(round)
  local answer = call('HSCAN', P .. 'tk', round.at, 'COUNT', limit)
  for i = 1, #answer[2], 2 do
    local nonce, j = answer[2][i], fetch(answer[2][i + 1])
    if not j or j.st ~= 'LEASED' or j.nonce ~= nonce then
      call('HDEL', P .. 'tk', nonce)
      repair('tk: dropped ' .. nonce)
    end
    looked = looked + 1
  end
  if answer[1] == '0' then enter_phase('rings') else call('HSET', P .. 'aud', 'at', answer[1]) end
end

-- Entries at the head of the list that are not ready go; so does a tenant whose list is empty.
local function check_tenant(m, c, t)
  local q = P .. 'q:' .. m .. ':' .. c .. ':' .. t
  for _ = 1, 64 do
    if not is_stale(call('LINDEX', q, 0)) then break end
    call('LPOP', q)
    repair('list: dropped an entry of ' .. t)
  end
  if call('EXISTS', q) == 0 then
    drop_tenant(m, c, t)
    repair('ring: dropped ' .. t .. ' from ' .. m .. ':' .. c)
  end
  looked = looked + 1
end

function phases.rings(round)
  local models = call('HKEYS', P .. 'models')
  table.sort(models)
  local at = tonumber(round.at)
  local model = models[math.floor(at / 4) + 1]
  if not model then
    for _, t in ipairs(call('HKEYS', P .. 'park')) do
      for m, c in call('HGET', P .. 'park', t):gmatch('(%S+):(%d)') do check_tenant(m, c, t) end
    end
    call('HDEL', P .. 'aud', 'phase', 'at', 'wanted', 'read')
    return
  end
  local cls = at % 4
  local seen = {}
  for _, t in ipairs(call('LRANGE', P .. 'ring:' .. model .. ':' .. cls, 0, -1)) do
    if seen[t] then
      call('LREM', P .. 'ring:' .. model .. ':' .. cls, -1, t)
      repair('ring: dropped a second ' .. t)
    else
      seen[t] = true
      check_tenant(model, cls, t)
    end
  end
  looked = looked + 1
  call('HSET', P .. 'aud', 'at', at + 1)
end

local function read_round()
  local s = call('HMGET', P .. 'aud', 'round', 'phase', 'at', 'wanted', 'read')
  return {round = s[1], phase = s[2], at = s[3], wanted = s[4], read = s[5]}
end

local round = read_round()
local everything = ARGV[2] == 'everything'
if not everything and ARGV[2] ~= '' and (ARGV[2] ~= round.round or not round.phase) then
  return {'', 0, 0, {}}
end
if not phases[round.phase] then
  call('HINCRBY', P .. 'aud', 'round', 1)
  enter_phase(everything and 'keys' or 'live')
elseif everything and round.read ~= '1' then
  call('HSET', P .. 'aud', 'wanted', 1)
end
repeat
  round = read_round()
  if round.phase then phases[round.phase](round) end
until not round.phase or looked >= limit or scanned > SCAN_MOST
return commit({round.phase and round.round or '', looked, repaired, sentences})
