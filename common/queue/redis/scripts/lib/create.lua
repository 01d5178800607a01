-- New jobs, all at once: what they share is written once. Each has m, c, t, dl, keep, cost, fp,
-- spec, and maybe mn, tname and solo. They are ready; nobody can have listened for them yet, so no
-- event tells of it.
local function create(fresh)
  audited = -1  -- their numbers are beyond every round's
  local seq = call('INCRBY', P .. 'seq', #fresh) - #fresh
  local records, places, lists = {}, {}, {}
  local list
  for n, j in ipairs(fresh) do
    j.sq = seq + n
    records[2 * n - 1] = P .. 's:' .. j.id
    records[2 * n] = cmsgpack.pack({j.c, j.m, j.t, j.cost, j.dl, j.keep, j.sq, NOW, j.fp,
                                    j.mn or false, j.tname or false, j.solo or false}) .. j.spec
    places[2 * n - 1], places[2 * n] = string.format('%d', j.sq), j.id
    if j.dl > 0 then call('ZADD', P .. 'due', j.dl, j.id) end
    if not list or j.t ~= list.job.t or j.m ~= list.job.m or j.c ~= list.job.c then
      local name = j.m .. ' ' .. j.c .. ' ' .. j.t
      list = lists[name] or {job = j}
      lists[name] = list
    end
    list[#list + 1] = j.id
  end
  call('MSET', unpack(records))
  call('ZADD', P .. 'live', unpack(places))
  call('ZADD', P .. 'all', unpack(places))
  for _, ids in pairs(lists) do
    local j = ids.job
    tally('tn', j.t, #ids, j)
    tally('depth:' .. j.m, j.c, #ids, j)
    if push(j, 'RPUSH', unpack(ids)) == #ids then
      call('HSET', P .. 'models', j.m, j.mn or j.m)
    end
  end
  ring_bell(#fresh)
end
