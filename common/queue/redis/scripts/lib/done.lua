-- Owners that have won or read the terminal records of their jobs: the queue mirrors them.
local done, done_nonces = {}, {}

-- -> OK | REPEATED (the same owner completed it before) | CANCELED | FENCED
local function complete(id, epoch, nonce, result)
  local j = fetch(id)
  if not j or not is_owner(j, tonumber(epoch), nonce) then return 'FENCED' end
  if j.st == 'DONE' then return 'REPEATED' end
  if j.st == 'CANCELED' then return 'CANCELED' end
  if j.st ~= 'LEASED' then return 'FENCED' end
  done[#done + 1] = id
  done_nonces[#done_nonces + 1] = nonce
  tally('depth:' .. j.m, 'run', -1, j)
  tally('tr', j.t, -1, j)
  tally('tn', j.t, -1, j)
  j.res, j.why, j.code = result, nil, nil  -- a former owner may have left a reason
  conclude(j, 'DONE')
  return 'OK'
end

-- Once for all of them.
local function leave_leases()
  if #done == 0 then return end
  call('ZREM', P .. 'lease', unpack(done))
  call('ZREM', P .. 'live', unpack(done))
  call('HDEL', P .. 'tk', unpack(done_nonces))
  for tenant in pairs(tallies.tn) do
    if unpark(tenant) then ring_bell() end
  end
end
