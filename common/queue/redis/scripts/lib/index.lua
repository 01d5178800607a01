-- The transitions. A job that is not terminal is in `live` and in exactly the index that its
-- state names; `leave` takes it out of that one, the others put it into the next.
--
--   j:<id> s:<id>      the job (record.lua)
--   q:<m>:<c>:<t>      LIST  ready jobs of a model, class and tenant, the next one at the head
--   ring:<m>:<c>       LIST  tenants with such a list, but for the parked ones
--   dq:<m>:<c>         HASH  tenant -> what it has used; #v the virtual time (order.h)
--   park               HASH  tenant at its cap of running jobs -> ' m:c m:c ', its rings
--   lease delay seal   ZSET  id -> when the lease or delay is over, when sealed
--   tk                 HASH  nonce of a take -> id, while the lease is held
--   due                ZSET  id -> deadline, of jobs that wait
--   gone               ZSET  id -> when it is forgotten, of jobs that ended
--   live all           ZSET  id -> sequence number of the submit; dead: of the death
--   depth:<m>          HASH  class, 'run', 'wait' -> jobs;  tn, tr HASH tenant -> open, running
--   cfg                HASH  limits, `paused`; what TAKE and the audit remember: `pass`, `audited`
--   skip               HASH  '<m>:<c>' -> how often a model was passed over (take.lua)
--   aud audn           HASH  the audit's round and its sums (audit.lua)
local LIVE = {QUEUED = true, WAIT = true, LEASED = true, SEALING = true}

local function is_stale(id)
  return id and state(id) ~= 'QUEUED'
end

-- Exact in a short list. In a long one the entry stays, to be dropped by TAKE, and stale entries
-- at both ends go now: enough that submitting and cancelling for ever does not grow the list.
local function leave_list(j)
  local q = P .. 'q:' .. j.m .. ':' .. j.c .. ':' .. j.t
  if call('LLEN', q) <= 1024 then
    call('LREM', q, 1, j.id)
  else
    j.st = ''
    for _ = 1, 8 do
      if is_stale(call('LINDEX', q, 0)) then call('LPOP', q) end
      if is_stale(call('LINDEX', q, -1)) then call('RPOP', q) end
    end
  end
  if call('EXISTS', q) == 0 then drop_tenant(j.m, j.c, j.t) end
end

-- Out of what LEASED names.
local function leave_lease(j)
  call('ZREM', P .. 'lease', j.id)
  call('HDEL', P .. 'tk', j.nonce)
  tally('depth:' .. j.m, 'run', -1, j)
  tally('tr', j.t, -1, j)
  if unpark(j.t) then ring_bell() end
end

local function leave(j)
  if j.st == 'QUEUED' then
    leave_list(j)
    tally('depth:' .. j.m, j.c, -1, j)
  elseif j.st == 'WAIT' then
    call('ZREM', P .. 'delay', j.id)
    tally('depth:' .. j.m, 'wait', -1, j)
  elseif j.st == 'LEASED' then
    leave_lease(j)
  elseif j.st == 'SEALING' then
    call('ZREM', P .. 'seal', j.id)
  elseif j.st == 'DEAD' then
    call('ZREM', P .. 'dead', j.id)
  end
  if j.dl > 0 then call('ZREM', P .. 'due', j.id) end
end

-- Makes the job ready again. Whatever comes back goes to the head: it is older than what stands
-- there.
local function ready(j)
  push(j, 'LPUSH', j.id)
  tally('depth:' .. j.m, j.c, 1, j)
  if j.dl > 0 then call('ZADD', P .. 'due', j.dl, j.id) end
  j.own = nil
  enter(j, 'QUEUED')
  ring_bell()
end

-- The end is decided; the terminal record is still to be written.
local function seal(j, want, code, why)
  leave(j)
  call('ZADD', P .. 'seal', STAMP, j.id)
  j.want, j.code, j.why, j.step = want, code, why, j.cks
  enter(j, 'SEALING')
end

-- Mirrors a terminal record.
local function finish(j, st)
  local was_open = LIVE[j.st]
  leave(j)
  if was_open then
    call('ZREM', P .. 'live', j.id)
    tally('tn', j.t, -1, j)
  end
  if st == 'DEAD' then
    call('ZADD', P .. 'dead', call('INCR', P .. 'seq'), j.id)
    local cap = tonumber(call('HGET', P .. 'cfg', 'max_dead') or $(max_dead))
    call('ZREMRANGEBYRANK', P .. 'dead', 0, -1 - cap)
  end
  conclude(j, st)
end
