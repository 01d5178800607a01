-- New jobs, all at once: what they share is written once. Each has m, c, t, dl, keep, cost, fp,
-- spec, and maybe mn, tname and solo. They are ready; nobody can have listened for them yet, so no
-- event tells of it.
local function create(jobs)
  audited = -1  -- their numbers are beyond every round's
  local seq = call('INCRBY', P .. 'seq', #jobs) - #jobs
  local places, lists, open = {}, {}, {}
  for n, j in ipairs(jobs) do
    local id, sq = j.id, string.format('%d', seq + n)
    local extra = {}
    for _, field in ipairs({'mn', 'tname', 'solo'}) do
      if j[field] then
        extra[#extra + 1] = field
        extra[#extra + 1] = j[field]
      end
    end
    local list = j.m .. ' ' .. j.c .. ' ' .. j.t
    call('HSET', P .. 'j:' .. id, 'st', 'QUEUED', 'i', list,
         'k', j.dl .. ' ' .. j.keep .. ' ' .. sq .. ' ' .. j.cost .. ' ' .. STAMP, 'fp', j.fp,
         unpack(extra))
    call('SET', P .. 's:' .. id, j.spec)
    if j.dl ~= '0' then call('ZADD', P .. 'due', j.dl, id) end
    places[2 * n - 1], places[2 * n] = sq, id
    lists[list] = lists[list] or {job = j}
    table.insert(lists[list], id)
    open[j.t] = (open[j.t] or 0) + 1
  end
  call('ZADD', P .. 'live', unpack(places))
  call('ZADD', P .. 'all', unpack(places))
  for tenant, n in pairs(open) do call('HINCRBY', P .. 'tn', tenant, n) end
  for _, ids in pairs(lists) do
    local j = ids.job
    call('HINCRBY', P .. 'depth:' .. j.m, j.c, #ids)
    if push(j, 'RPUSH', unpack(ids)) == #ids then
      call('HSET', P .. 'models', j.m, j.mn or j.m)
    end
  end
  ring_bell(#jobs)
end
