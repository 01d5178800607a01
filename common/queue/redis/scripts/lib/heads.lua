-- How long the heads of the rings have waited, of many models at once. `head` remembers who stood
-- there last and since when; a job's time never changes, so only those are read that have come since.
local core = require('core')
local keys = require('keys')
local record = require('record')
local turn = require('turn')
local call = core.call

local found = {[0] = {}, {}, {}, {}}  -- class -> model -> milliseconds; nil: to be looked at

-- Model -> how long its head has waited, from the `first` of the models on.
local function waits(class, models, first)
  local waits, asked, fields = found[class], {}, {}
  for n = first, #models do
    local model = models[n]
    if not waits[model] then
      asked[#asked + 1] = model
      fields[#fields + 1] = model .. ':' .. class
    end
  end
  if #asked == 0 then return waits end
  local known, new, ids, changes = call('HMGET', keys.heads, unpack(fields)), {}, {}, {}
  for n, model in ipairs(asked) do
    local id = turn.head(model, class)
    local before, time = (known[n] or ''):match('^(%S+) (%d+)$')
    waits[model] = id and id == before and core.now - time or 0
    if id and id ~= before then new[#new + 1], ids[#ids + 1] = model, id end
  end
  for n, time in pairs(#ids > 0 and record.times_of(ids) or {}) do
    waits[new[n]] = core.now - time
    changes[#changes + 1] = new[n] .. ':' .. class
    changes[#changes + 1] = ids[n] .. ' ' .. core.text(time)
  end
  if #changes > 0 then call('HSET', keys.heads, unpack(changes)) end
  return waits
end

-- Another job may stand there now.
local function look_again(class, model)
  found[class][model] = nil
end

return {waits = waits, look_again = look_again}
