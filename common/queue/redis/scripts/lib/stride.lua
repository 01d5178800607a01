-- Which class is next: ClassStride (order.h), kept in `cfg` between the takes.
local core = require('core')
local keys = require('keys')
local STRIDE = $(kStride)

local takes, now, pass  -- so far; virtual time: the pass of the class served last; of each class

-- `bytes`: what `save` has written, or nothing.
local function load(bytes)
  local stored = bytes and {pcall(cmsgpack.unpack, bytes)} or {}
  local function number(n) return tonumber(stored[n]) or 0 end
  takes, now = number(2), number(3)
  pass = {[0] = number(4), number(5), number(6), number(7)}
end

local function save()
  core.call('HSET', keys.config, 'pass',
            cmsgpack.pack(takes, now, pass[0], pass[1], pass[2], pass[3]))
end

-- The next take belongs to an overdue class, if there is one.
local function is_aged_turn()
  return (takes + 1) % $(kAgedEvery) == 0
end

-- The class with the lowest pass among those that have jobs. A class that had none meanwhile starts
-- at the present: idling earns no credit.
local function pick(has_jobs)
  local best, lowest
  for class = 0, 3 do
    local effective = math.max(pass[class], now)
    if has_jobs(class) and (not lowest or effective < lowest) then
      best, lowest = class, effective
    end
  end
  return best
end

-- To be called for each grant; an aged turn costs the class nothing.
local function charge(class, aged)
  takes = takes + 1
  if aged then return end
  now = math.max(pass[class], now)
  pass[class] = now + STRIDE[class]
end

return {load = load, save = save, is_aged_turn = is_aged_turn, pick = pick, charge = charge}
