-- New jobs, all at once: what they share is written once.
local core = require('core')
local keys = require('keys')
local record = require('record')
local counts = require('counts')
local change = require('change')
local ring = require('ring')
local call = core.call

-- The jobs by model, class and tenant, in the order in which these come first.
local function by_list(jobs)
  local lists, named, list = {}, {}, nil
  for _, job in ipairs(jobs) do
    local first = list and list.job
    if not first or job.tenant ~= first.tenant or job.model ~= first.model or
       job.class ~= first.class then
      local name = keys.list(job.model, job.class, job.tenant)
      list = named[name]
      if not list then
        list = {job = job, cost = 0}
        named[name], lists[#lists + 1] = list, list
      end
    end
    list[#list + 1] = job.id
    list.cost = list.cost + job.cost
  end
  return lists
end

-- Each has the submitted fields but for number and time, an id and a spec. They are ready; nobody
-- can have listened for them yet, so no event tells of it.
local function create(jobs)
  local sequence = call('INCRBY', keys.sequence, #jobs) - #jobs
  local bodies = {}
  for n, job in ipairs(jobs) do
    job.state, job.sequence, job.enqueued = 'QUEUED', sequence + n, core.now
    bodies[2 * n - 1] = keys.submission .. job.id
    bodies[2 * n] = record.encode_submission(job) .. job.spec
    change.place(keys.live, job.id, job.sequence)
    change.place(keys.all, job.id, job.sequence)
    if job.deadline > 0 then change.place(keys.deadlines, job.id, job.deadline) end
  end
  call('MSET', unpack(bodies))
  for _, list in ipairs(by_list(jobs)) do
    local job = list.job
    counts.add(job, #list, list.cost)
    if ring.push(job, 'RPUSH', unpack(list)) == #list then
      call('HSET', keys.models, job.model, job.model_name or job.model)
    end
  end
  change.ring_bell(#jobs)
end

return {create = create}
