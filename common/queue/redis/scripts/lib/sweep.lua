-- What time alone moves: delays and leases that are over, deadlines that passed while waiting.

local complete = true  -- false once there may be more than the limits let it see
local function due(index, limit)
  local found = call('ZRANGE', P .. index, '-inf', STAMP, 'BYSCORE', 'LIMIT', '0', limit)
  if #found >= tonumber(limit) then complete = false end
  return found
end

-- The worker is lost: count the crash and where it was, then queue the job again, alone, or seal
-- it when it has taken enough workers with it, on two nodes or twice as many on one. True: queued.
local function take_back(j, why, code)
  local crash = (j.crash or 0) + 1
  local nodes = j.cn or ' '
  if j.node and j.node ~= '' and not nodes:find(' ' .. j.node .. ' ', 1, true) then
    nodes = nodes .. j.node .. ' '
  end
  local _, count = nodes:gsub('%S+', '')
  j.crash, j.cn, j.solo = crash, nodes, 1
  local max = tonumber(call('HGET', P .. 'cfg', 'max_crashes') or $(max_crashes))
  if crash >= max and (count >= 2 or crash >= 2 * max) then
    seal(j, 'DEAD', 'ABORTED',
         'WORKER_LOST: ' .. crash .. ' workers were lost while they ran the job')
    return false
  end
  leave(j)
  j.step, j.code, j.why = j.cks, code, why
  ready(j)
  return true
end

-- -> jobs moved; true unless a limit was reached
local function sweep(promotions, recoveries, expiries)
  local moved = 0
  for _, id in ipairs(due('delay', promotions)) do
    local j = fetch(id)
    if j and j.st == 'WAIT' then
      leave(j)
      ready(j)
      moved = moved + 1
    else
      call('ZREM', P .. 'delay', id)
    end
  end
  for _, id in ipairs(due('lease', recoveries)) do
    local j = fetch(id)
    if j and j.st == 'LEASED' then
      take_back(j, 'a worker was lost while it ran the job', 'UNAVAILABLE')
      moved = moved + 1
    else
      call('ZREM', P .. 'lease', id)
    end
  end
  for _, id in ipairs(due('due', expiries)) do
    local j = fetch(id)
    if j and (j.st == 'QUEUED' or j.st == 'WAIT') then
      seal(j, 'EXPIRED', 'DEADLINE_EXCEEDED', 'the deadline passed before a worker was free')
      moved = moved + 1
    else
      call('ZREM', P .. 'due', id)
    end
  end
  return moved, complete
end
