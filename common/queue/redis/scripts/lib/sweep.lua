-- What time alone moves: delays and leases that are over, deadlines that passed while waiting.
local core = require('core')
local keys = require('keys')
local record = require('record')
local change = require('change')
local index = require('index')
local call = core.call

-- The jobs whose time in this sorted set has come, at most `limit`, and whether there may be more.
local function due(set, limit)
  change.write_places()
  local ids = call('ZRANGE', set, '-inf', core.now_text, 'BYSCORE', 'LIMIT', '0', limit)
  return ids, #ids >= tonumber(limit)
end

-- The worker is lost: count the crash and where it was, then queue the job again, alone, or seal
-- it when it has taken enough workers with it, on two nodes or twice as many on one. True: queued.
local function take_back(job, reason, code)
  local nodes = job.crash_nodes or ' '
  if job.node and job.node ~= '' and not nodes:find(' ' .. job.node .. ' ', 1, true) then
    nodes = nodes .. job.node .. ' '
  end
  local _, count = nodes:gsub('%S+', '')
  job.crashes, job.crash_nodes, job.solo = job.crashes + 1, nodes, 1
  local most = tonumber(call('HGET', keys.config, 'max_crashes') or $(max_crashes))
  if job.crashes >= most and (count >= 2 or job.crashes >= 2 * most) then
    index.seal(job, 'DEAD', 'ABORTED',
               'WORKER_LOST: ' .. job.crashes .. ' workers were lost while they ran the job')
    return false
  end
  job.step, job.code, job.reason = job.checkpoint_step, code, reason
  index.ready(job)
  return true
end

-- Moves what is due in the sorted set and belongs there -> how many, and whether there may be more.
local function sweep_set(set, limit, belongs, move)
  local moved = 0
  local ids, more = due(set, limit)
  for _, id in ipairs(ids) do
    local job = record.fetch(id)
    if job and belongs[job.state] then
      move(job)
      moved = moved + 1
    else
      change.place(set, id, false)
    end
  end
  return moved, more
end

-- An owner that has never renewed may not know of its grant: no crash, a few times.
local function recover(job)
  if job.heard == 0 and job.silences < $(kFreeSilences) then
    job.silences = job.silences + 1
    job.step, job.code = job.checkpoint_step, 'UNAVAILABLE'
    job.reason = 'the worker that took the job was not heard of'
    index.ready(job)
  else
    take_back(job, 'a worker was lost while it ran the job', 'UNAVAILABLE')
  end
end

local function expire(job)
  index.seal(job, 'EXPIRED', 'DEADLINE_EXCEEDED', 'the deadline passed before a worker was free')
end

-- -> jobs moved; whether there may be more than the limits let it see
local function sweep(promotions, recoveries, expiries)
  local promoted, more_delays = sweep_set(keys.delays, promotions, {WAIT = true}, index.ready_last)
  local recovered, more_leases = sweep_set(keys.leases, recoveries, {LEASED = true}, recover)
  local expired, more_deadlines =
      sweep_set(keys.deadlines, expiries, {QUEUED = true, WAIT = true}, expire)
  return promoted + recovered + expired, more_delays or more_leases or more_deadlines
end

return {due = due, take_back = take_back, expire = expire, sweep = sweep}
