-- Every script: KEYS[1] is the prefix of all keys (one hash tag, so one slot), ARGV[1] is added to
-- the clock (0 in production; tests move time with it). Times are milliseconds. Limits stand in
-- `cfg`; where nobody has set them, the scripts use the defaults of QueueLimits in types.h.
local call = redis.call
local P = KEYS[1]
local TIME = call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000) + ARGV[1]

-- What every transition needs of a job, and the fields that the caller names.
local function fetch(id, ...)
  local names = {'st', 'm', 'c', 't', 'v', 'ep', 'dl', 'cks', 'nonce', 'keep', ...}
  local values = call('HMGET', P .. 'j:' .. id, unpack(names))
  local j = {}
  for i = 1, #names do j[names[i]] = values[i] end
  return j
end

local function is_owner(j, epoch, nonce)
  return j.ep == epoch and j.nonce == nonce
end
