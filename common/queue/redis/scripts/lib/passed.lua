-- How often a model with ready jobs of a class was passed over for warmer ones since one of them was
-- taken. `skip` has it by class, packed with MessagePack: model -> how often. Read and written once.
local keys = require('keys')
local call = require('core').call

local known = {}    -- class -> model -> how often, nil: never
local changed = {}  -- class -> true

-- Model -> how often, nil: never.
local function times(class)
  if not known[class] then
    local ok, stored = pcall(cmsgpack.unpack, call('HGET', keys.passed_over, class) or '')
    known[class] = ok and type(stored) == 'table' and stored or {}
  end
  return known[class]
end

-- One of the models was served, the others were not.
local function count(models, class, served)
  local times = times(class)
  if #models == 1 and not times[served] then return end
  for n = 1, #models do
    local model = models[n]
    times[model] = (times[model] or 0) + 1
  end
  times[served] = nil
  changed[class] = true
end

local function save()
  for class in pairs(changed) do
    call('HSET', keys.passed_over, class, cmsgpack.pack(known[class]))
  end
end

return {times = times, count = count, save = save}
