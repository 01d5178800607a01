-- New jobs, all at once: what they share is written once. Each has m, c, t, dl, keep, cost, fp,
-- spec, and maybe mn, tname and solo. They are ready; nobody can have listened for them yet, so no
-- event tells of it.
local function create(fresh)
  audited = -1  -- their numbers are beyond every round's
  local seq = call('INCRBY', P .. 'seq', #fresh) - #fresh
  local records, places, lists = {}, {}, {}
  for n, j in ipairs(fresh) do
    local sq = seq + n
    records[2 * n - 1] = P .. 's:' .. j.id
    records[2 * n] = cmsgpack.pack({j.c, j.m, j.t, j.cost, j.dl, j.keep, sq, NOW, j.fp,
                                    j.mn or false, j.tname or false, j.solo or false}) .. j.spec
    places[2 * n - 1], places[2 * n] = string.format('%d', sq), j.id
    if j.dl > 0 then call('ZADD', P .. 'due', j.dl, j.id) end
    local list = j.m .. ' ' .. j.c .. ' ' .. j.t
    lists[list] = lists[list] or {job = j}
    table.insert(lists[list], j.id)
    j.sq = sq
    tally('tn', j.t, 1, j)
    tally('depth:' .. j.m, j.c, 1, j)
  end
  call('MSET', unpack(records))
  call('ZADD', P .. 'live', unpack(places))
  call('ZADD', P .. 'all', unpack(places))
  for _, ids in pairs(lists) do
    local j = ids.job
    if push(j, 'RPUSH', unpack(ids)) == #ids then
      call('HSET', P .. 'models', j.m, j.mn or j.m)
    end
  end
  ring_bell(#fresh)
end
