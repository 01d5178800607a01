-- A round over a queue that all its callers share and that goes through phases, page by page:
-- AUDIT's over what lives, HISTORY's over what ended. A phase is a function of {at: where it goes on,
-- wanted, read: audit.lua}; it says what it saw and mended, and enters the next one when it is done.
-- In Redis a round is a hash: `round`, `phase`, `at`, `wanted`, `read`, `mended` (1 after a repair),
-- `next` (when the next one is due), `paid` (until when the time that callers used is paid for).
local core = require('core')
local call = core.call

local LIMIT = tonumber(ARGV[3])
local PAGE = math.min(LIMIT, 64)  -- entries that a phase reads at once
local MOST = 1500   -- microseconds of Redis's time that a call should use
local BURST = 1000  -- milliseconds of which the share may be used at once

local hash                                   -- the round's
local looked, repaired, sentences = 0, 0, {}
local spent = 0  -- microseconds, by what was looked at: Redis does not tell a script how long it runs

-- So many entries were looked at, each takes about so long, and something besides took so long.
local function saw(entries, micros, besides)
  looked = looked + entries
  spent = spent + entries * micros + (besides or 0)
end

-- Besides: a search through a list.
local function searched(list)
  spent = spent + 1 + call('LLEN', list) / 100
end

local function is_long()
  return spent > MOST
end

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

local function enter(phase)
  call('HSET', hash, 'phase', phase, 'at', '0')
end

local function go_on(at)
  call('HSET', hash, 'at', at)
end

local function note(field)
  call('HSET', hash, field, 1)
end

local function finish()
  call('HDEL', hash, 'phase', 'at', 'wanted', 'read', 'mended')
end

local function state()
  local s = call('HMGET', hash, 'round', 'phase', 'at', 'wanted', 'read', 'mended', 'next', 'paid')
  return {number = s[1], phase = s[2], at = s[3], wanted = s[4] == '1', read = s[5] == '1',
          mended = s[6] == '1', next = tonumber(s[7] or 0), paid = tonumber(s[8] or 0)}
end

-- ARGV[2]: 'due': what the pace allows; '': begin, or join; 'everything': likewise, and read all keys;
-- else the answer's of an earlier call.
local function has_turn(round, wanted)
  if wanted == 'due' then
    return round.paid <= core.now and (round.phase or core.now >= round.next)
  end
  return wanted == '' or wanted == 'everything' or (round.phase and wanted == round.number)
end

-- One call's part -> {cursor (empty: the round is over, or it is nobody's turn), entries looked at,
-- repairs, {sentence, ...}}. `pace`: `rest` after a round in milliseconds, and the share of Redis's time
-- for all callers together, which grows from `share` to `mending` while there is something to mend.
local function walk(key, phases, first, pace)
  hash = key
  local round, wanted = state(), ARGV[2]
  if not has_turn(round, wanted) then return {'', 0, 0, {}} end
  if not phases[round.phase] then
    call('HINCRBY', hash, 'round', 1)
    enter(first)
  end
  if wanted == 'everything' and not round.read then note('wanted') end
  local mended
  repeat
    round = state()
    mended = mended or round.mended
    if round.phase then phases[round.phase](round) end
  until not round.phase or looked >= LIMIT or is_long()
  round = state()
  if not round.phase then
    call('HSET', hash, 'next', core.text(core.now + pace.rest))
  elseif repaired > 0 then
    note('mended')
  end
  if wanted == 'due' then
    local share = (repaired > 0 or mended) and pace.mending or pace.share
    local paid = math.max(round.paid, core.now - BURST) + spent / 1000 / share
    call('HSET', hash, 'paid', string.format('%.3f', paid))
  end
  return {round.phase and round.number or '', looked, repaired, sentences}
end

return {
  PAGE = PAGE, saw = saw, searched = searched, is_long = is_long, repair = repair, short = short,
  drop = drop, put_back = put_back, enter = enter, go_on = go_on, note = note, finish = finish,
  walk = walk,
}
