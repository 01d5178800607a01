-- The transitions. A job that is not terminal is in `live`, in exactly the index that its state
-- names, and counted as its state says; `leave` takes it out of that index and of the counters, the
-- others put it into the next. The one from a list to an owner is lease.lua's.
local core = require('core')
local keys = require('keys')
local record = require('record')
local counts = require('counts')
local change = require('change')
local ring = require('ring')
local call = core.call

local function is_stale(id)
  return id and record.state_of(id) ~= 'QUEUED'
end

-- Exact at both ends and in a short list. In the middle of a long one the entry stays, to be
-- dropped by TAKE, and stale entries at both ends go now: enough that submitting and cancelling
-- for ever does not grow the list.
local function leave_list(job)
  local list = keys.list(job.model, job.class, job.tenant)
  if call('LINDEX', list, 0) == job.id then
    call('LPOP', list)
  elseif call('LINDEX', list, -1) == job.id then
    call('RPOP', list)
  elseif call('LLEN', list) <= 1024 then
    call('LREM', list, 1, job.id)
  else
    job.state = ''
    for _ = 1, 8 do
      if is_stale(call('LINDEX', list, 0)) then call('LPOP', list) end
      if is_stale(call('LINDEX', list, -1)) then call('RPOP', list) end
    end
  end
  if call('EXISTS', list) == 0 then ring.drop(job.model, job.class, job.tenant) end
end

local function leave(job)
  counts.add(job, -1)
  if job.deadline > 0 then change.place(keys.deadlines, job.id, false) end
  if job.state == 'QUEUED' then
    leave_list(job)
  elseif job.state == 'WAIT' then
    change.place(keys.delays, job.id, false)
  elseif job.state == 'LEASED' then
    change.place(keys.leases, job.id, false)
    change.hold(job.nonce, false)
    ring.unpark(job.tenant)
  elseif job.state == 'SEALING' then
    change.place(keys.seals, job.id, false)
  elseif job.state == 'DEAD' then
    change.place(keys.dead, job.id, false)
  end
end

local function enter(job, state)
  change.enter(job, state)
  counts.add(job, 1)
  if job.deadline > 0 and (state == 'QUEUED' or state == 'WAIT') then
    change.place(keys.deadlines, job.id, job.deadline)
  end
end

local function make_ready(job, command)
  leave(job)
  ring.push(job, command, job.id)
  job.worker = false
  enter(job, 'QUEUED')
  change.ring_bell()
end

-- Ready again at the head of its list: it is older than what stands there.
local function ready(job)
  make_ready(job, 'LPUSH')
end

-- Ready again after a failure: others shall not wait for a job that fails again and again.
local function ready_last(job)
  make_ready(job, 'RPUSH')
end

local function wait(job, until_ms)
  leave(job)
  change.place(keys.delays, job.id, until_ms)
  job.worker = false
  enter(job, 'WAIT')
end

-- The end is decided; the terminal record is still to be written.
local function seal(job, wanted, code, reason)
  leave(job)
  change.place(keys.seals, job.id, core.now)
  job.wanted, job.code, job.reason, job.step = wanted, code, reason, job.checkpoint_step
  enter(job, 'SEALING')
end

local function bury(job)
  call('ZADD', keys.dead, call('INCR', keys.sequence), job.id)
  local most = tonumber(call('HGET', keys.config, 'max_dead') or $(max_dead))
  call('ZREMRANGEBYRANK', keys.dead, 0, -1 - most)
end

-- Mirrors a terminal record. The job is to be forgotten after a while.
local function finish(job, state)
  leave(job)
  change.place(keys.live, job.id, false)
  change.place(keys.ended, job.id, core.now + job.keep)
  if state == 'DEAD' then bury(job) end
  enter(job, state)
end

return {
  is_stale = is_stale, ready = ready, ready_last = ready_last, wait = wait, seal = seal,
  finish = finish,
}
