#!lua flags=allow-oom
-- PREEMPT: asks running jobs to make room for more urgent ones that wait too long and that the
-- same worker can run. The mark is the owner's epoch in `pm`, so it ends with the owner; RENEW
-- answers it. A place that was asked for already counts for the job that waits, so there are never
-- more marks than such jobs, however many callers there are.
-- ARGV: 2 limit
-- -> {{id, worker, 0: marked now, 1: marked before}, ...}
--#include core
--#include change
local limit = tonumber(ARGV[2])
local cfg = call('HMGET', P .. 'cfg', 'paused', 'preempt_after', 'preempt_floor',
                 'max_preemptions', 'max_running_per_tenant')
if cfg[1] == '1' then return {} end
local since = NOW - tonumber(cfg[2] or $(preempt_after))
local began_before = NOW - tonumber(cfg[3] or $(preempt_floor))
local most = tonumber(cfg[4] or $(max_preemptions))

-- Jobs that the tenant may have running beyond those that do.
local rooms = {}
local function room(tenant)
  if not rooms[tenant] then
    local cap = call('HGET', P .. 'tl', tenant .. ':r') or cfg[5] or $(max_running_per_tenant)
    rooms[tenant] = tonumber(cap) - tonumber(call('HGET', P .. 'tr', tenant) or 0)
  end
  return rooms[tenant]
end

-- The ready jobs that have waited too long, the most urgent class first: {class, model}.
local waiting = {}
local function find_waiting(model, cls)
  for _, tenant in ipairs(call('LRANGE', P .. 'ring:' .. model .. ':' .. cls, 0, 63)) do
    if #waiting >= limit then return end
    local q = P .. 'q:' .. model .. ':' .. cls .. ':' .. tenant
    for _, id in ipairs(call('LRANGE', q, 0, limit - 1)) do
      local job = fetch(id)
      if job and job.st == 'QUEUED' then
        if #waiting >= limit or room(tenant) <= 0 or job.enq > since then break end
        rooms[tenant] = rooms[tenant] - 1
        waiting[#waiting + 1] = {cls = cls, model = model}
      end
    end
  end
end

local models = call('HKEYS', P .. 'models')
table.sort(models)
for cls = 0, 2 do
  for _, model in ipairs(models) do find_waiting(model, cls) end
end

-- The running jobs: the least urgent first, and of these the one that began last, for it has least
-- to lose.
local running = {}
for _, id in ipairs(call('ZRANGE', P .. 'lease', 0, 999)) do
  local j = fetch(id)
  if j and j.st == 'LEASED' then
    running[#running + 1] = {job = j, c = tonumber(j.c), before = j.pm == j.ep}
  end
end
table.sort(running, function(a, b)
  if a.c ~= b.c then return a.c > b.c end
  if a.job.ch ~= b.job.ch then return a.job.ch > b.job.ch end
  return a.job.id < b.job.id
end)

local function serves(v, w)
  return v.c > w.cls and (v.job.m == w.model or
                          (v.job.wm and v.job.wm:find(' ' .. w.model .. ' ', 1, true)))
end

local function asked_before(w)
  for _, v in ipairs(running) do
    if v.before and not v.answered and serves(v, w) then
      v.answered = true
      return true
    end
  end
end

local asked = {}
for _, w in ipairs(waiting) do
  if not asked_before(w) then
    for _, v in ipairs(running) do
      local j = v.job
      if not v.before and not v.now and serves(v, w) and j.ch <= began_before and
         (j.pn or 0) < most then
        v.now = true
        j.pm, j.pn = j.ep, (j.pn or 0) + 1
        changed[j.id] = j
        asked[#asked + 1] = {j.id, j.own, 0}
        break
      end
    end
  end
end
for _, v in ipairs(running) do
  if v.before and #asked < limit then asked[#asked + 1] = {v.job.id, v.job.own, 1} end
end
return commit(asked)
