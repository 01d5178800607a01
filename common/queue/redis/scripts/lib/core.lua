-- Every script: KEYS[1] is the prefix of all keys (one hash tag, so one slot), ARGV[1] is added to
-- the clock (0 in production; tests move time with it). Times are milliseconds. A dollar
-- and a name in brackets: a default of QueueLimits (types.h) or a constant of order.h, put in by
-- the build.
local call = redis.call
local P = KEYS[1]
local TIME = call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000) + ARGV[1]
local STAMP = string.format('%d', NOW)  -- for commands: Redis formats a Lua number anew each time

-- What never changes of a job stands in two fields, `i` and `k`: a command costs by its fields.
-- Fields of a new job that would be 0 or empty are absent.
local function split(j, i, k)
  if not i then return j end
  j.m, j.c, j.t = i:match('^(%S+) (%S+) (%S+)$')
  j.dl, j.keep, j.sq, j.cost, j.enq = k:match('^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  return j
end

-- What every transition needs of a job, and the fields that the caller names.
local function fetch(id, ...)
  local r = call('HMGET', P .. 'j:' .. id, 'st', 'i', 'k', 'v', 'ep', 'nonce', 'cks', ...)
  local j = {st = r[1], v = r[4] or 1, ep = r[5] or '0', nonce = r[6], cks = r[7] or '0'}
  for n = 1, select('#', ...) do j[select(n, ...)] = r[7 + n] end
  return split(j, r[2], r[3])
end

local function is_owner(j, epoch, nonce)
  return j.ep == epoch and j.nonce == nonce
end
