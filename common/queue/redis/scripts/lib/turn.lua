-- Whose turn it is in the rings of tenants: what TAKE asks of them. Who stands there is ring.lua's.
local core = require('core')
local keys = require('keys')
local call = core.call

local WINDOW = core.text($(kTenantWindow) - 1)

-- Of rings[first] to rings[last], of which `count` are not empty, those go into `found` as numbers.
-- EXISTS counts, so only a part that has some and not all is divided.
local function find_filled(rings, first, last, count, found)
  if count == 0 then return end
  if count == last - first + 1 then
    for n = first, last do found[#found + 1] = n end
    return
  end
  local middle = math.floor((first + last) / 2)
  local left = call('EXISTS', unpack(rings, first, middle))
  find_filled(rings, first, middle, left, found)
  find_filled(rings, middle + 1, last, count - left, found)
end

-- Calls visit(model, class) where there are jobs that may be taken: by class, in the models' order.
local function each_filled(models, visit)
  if #models == 0 then return end
  for class = 0, 3 do
    local rings, found = {}, {}
    for n = 1, #models do rings[n] = keys.ring(models[n], class) end
    find_filled(rings, 1, #rings, call('EXISTS', unpack(rings)), found)
    for n = 1, #found do visit(models[found[n]], class) end
  end
end

-- The head of the first tenant's list stands for the oldest job, which every turn brings nearer.
local function head(model, class)
  local tenant = call('LINDEX', keys.ring(model, class), '0')
  return tenant and call('LINDEX', keys.list(model, class, tenant), '0')
end

-- The tenant whose turn it is: the one that has used least among the first of the ring; and whether
-- it is alone there.
local function next_tenant(model, class)
  local window = call('LRANGE', keys.ring(model, class), '0', WINDOW)
  if #window < 2 then return window[1], true end
  local used = call('HMGET', keys.shares(model, class), unpack(window))
  local best, least = 1, tonumber(used[1] or 0)
  for n = 2, #window do
    local value = tonumber(used[n] or 0)
    if value < least then best, least = n, value end
  end
  return window[best], false
end

-- The tenant's turn costs it `share`, and the next is another's. Not for one that is alone, which
-- pays nothing: there is nobody to be fair to.
local function charge(model, class, tenant, share)
  local ring, shares = keys.ring(model, class), keys.shares(model, class)
  local values = call('HMGET', shares, keys.VIRTUAL_TIME, tenant)
  local now, used = tonumber(values[1] or 0), tonumber(values[2] or 0)
  call('HSET', shares, keys.VIRTUAL_TIME, core.text(math.max(now, used)), tenant,
       core.text(used + share))
  call('LREM', ring, '1', tenant)
  call('RPUSH', ring, tenant)
end

return {each_filled = each_filled, head = head, next_tenant = next_tenant, charge = charge}
