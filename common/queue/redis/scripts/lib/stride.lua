-- Which class is next: ClassStride (order.h), kept in `cfg` between the takes.
local core = require('core')
local keys = require('keys')
local STRIDE = $(kStride)

local takes, now, pass  -- so far; virtual time: the pass of the class served last; of each class

-- `text`: what `save` has written, or nothing.
local function load(text)
  local numbers = {}
  for number in (text or ''):gmatch('%d+') do numbers[#numbers + 1] = tonumber(number) end
  takes, now = numbers[1] or 0, numbers[2] or 0
  pass = {[0] = numbers[3] or 0, numbers[4] or 0, numbers[5] or 0, numbers[6] or 0}
end

local function save()
  core.call('HSET', keys.config, 'pass',
            string.format('%d %d %d %d %d %d', takes, now, pass[0], pass[1], pass[2], pass[3]))
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
