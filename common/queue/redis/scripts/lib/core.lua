-- Every script: KEYS[1] is the prefix of all keys (one hash tag, so one slot), ARGV[1] is added to
-- the clock (0 in production; tests move time with it). Times are milliseconds. A dollar
-- and a name in brackets: a default of QueueLimits (types.h) or a constant of order.h, put in by
-- the build.
local call = redis.call
local P = KEYS[1]
local TIME = call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000) + ARGV[1]

-- What every transition needs of a job, and the fields that the caller names.
local function fetch(id, ...)
  local r = call('HMGET', P .. 'j:' .. id, 'st', 'm', 'c', 't', 'v', 'ep', 'dl', 'cks', 'nonce',
                 'keep', 'sq', ...)
  local j = {st = r[1], m = r[2], c = r[3], t = r[4], v = r[5], ep = r[6], dl = r[7], cks = r[8],
             nonce = r[9], keep = r[10], sq = r[11]}
  for i = 1, select('#', ...) do j[select(i, ...)] = r[11 + i] end
  return j
end

local function is_owner(j, epoch, nonce)
  return j.ep == epoch and j.nonce == nonce
end
