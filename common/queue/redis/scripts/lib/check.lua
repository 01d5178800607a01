-- What the rounds of AUDIT and HISTORY both check.
local core = require('core')
local keys = require('keys')
local record = require('record')
local counts = require('counts')
local change = require('change')
local ring = require('ring')
local index = require('index')
local round = require('round')
local call = core.call

-- A tenant with a list is in the ring or parked, and has used something. AUDIT has noted who stood
-- in which ring; only who came later is searched for.
local function tenant(model, class, name)
  if call('HEXISTS', keys.shares(model, class), name) == 0 then
    ring.open_share(model, class, name)
    round.repair('share: put back ' .. name .. ' for ' .. model .. ':' .. class)
  end
  local place = model .. ':' .. class .. ':' .. name
  if call('SISMEMBER', keys.audit_rings, place) == 1 or ring.is_parked(model, class, name) then
    return
  end
  local turns = keys.ring(model, class)
  round.searched(turns)
  if not call('LPOS', turns, name) then
    call('RPUSH', turns, name)
    change.ring_bell()
    round.repair('ring: put back ' .. name .. ' for ' .. model .. ':' .. class)
  end
end

-- Jobs that neither `live` nor `gone` knows.
local function strays(ids)
  local live, ended = call('ZMSCORE', keys.live, unpack(ids)), call('ZMSCORE', keys.ended, unpack(ids))
  for n, id in ipairs(ids) do
    local job = not live[n] and not ended[n] and record.fetch(id)
    if job then
      if counts.is_open(job) then
        round.put_back(keys.live, id, job.sequence)
      else
        round.put_back(keys.ended, id, core.now + job.keep)
      end
      round.put_back(keys.all, id, job.sequence)
    end
  end
end

-- A phase that looks for jobs that no index knows, and for lists that no ring knows and that have no
-- ready job at their head: the others' jobs lead to them.
local function keys_phase(following)
  return function(state)
    local answer = call('SCAN', state.at, 'MATCH', core.prefix .. '[sq]:*', 'COUNT', 2 * round.PAGE)
    local ids, heads = {}, 0
    for _, key in ipairs(answer[2]) do
      local kind, rest = round.short(key):match('^([sq]):(.*)$')
      local model, class, name = rest:match('^([^:]+):(%d):([^:]+)$')
      if kind == 's' then
        ids[#ids + 1] = rest
      elseif model then
        heads = heads + 1
        if index.is_stale(call('LINDEX', key, 0)) then tenant(model, class, name) end
      end
    end
    if #ids > 0 then strays(ids) end
    round.saw(math.max(#answer[2], 1), 5, 12 * heads)
    if answer[1] == '0' then following() else round.go_on(answer[1]) end
  end
end

-- A phase that drops from an index what `belongs` denies. Jobs that are not known any more go without
-- being a repair from an index that `outlives` them.
local function index_phase(set, following, belongs, outlives)
  return function(state)
    local answer, ids = call('ZSCAN', set, state.at, 'COUNT', round.PAGE), {}
    for i = 1, #answer[2], 2 do ids[#ids + 1] = answer[2][i] end
    if #ids > 0 then record.read_all(ids) end
    for _, id in ipairs(ids) do
      local job = record.fetch(id)
      if not job and outlives then
        call('ZREM', set, id)
      elseif not job or not belongs(job) then
        round.drop(set, id)
      end
    end
    round.saw(#ids, 12)
    if answer[1] == '0' then following() else round.go_on(answer[1]) end
  end
end

return {tenant = tenant, strays = strays, keys_phase = keys_phase, index_phase = index_phase}
