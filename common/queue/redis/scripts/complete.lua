#!lua flags=allow-oom
-- COMPLETE: the owners of jobs have won or read the terminal records; the queue mirrors them.
-- ARGV: from 2 on, for each job: id, epoch, nonce, result pointer
-- -> for each job: OK | REPEATED (the same owner completed it before) | CANCELED | FENCED
--#include core
--#include change
local done, tokens = {}, {}

local function complete(id, epoch, nonce, result)
  local j = fetch(id, 'own')
  if not is_owner(j, epoch, nonce) then return 'FENCED' end
  if j.st == 'DONE' then return 'REPEATED' end
  if j.st == 'CANCELED' then return 'CANCELED' end
  if j.st ~= 'LEASED' then return 'FENCED' end
  done[#done + 1] = id
  tokens[#tokens + 1] = P .. 'tk:' .. nonce
  tally('depth:' .. j.m, 'run', -1, j)
  tally('tr', j.t, -1, j)
  tally('tn', j.t, -1, j)
  if j.ep == '1' then
    conclude(id, j, 'DONE', 'res', result)
  else  -- a former owner may have left a reason
    conclude(id, j, 'DONE', 'res', result, 'why', '', 'code', '')
  end
  return 'OK'
end

local replies = {}
for i = 2, #ARGV, 4 do
  replies[#replies + 1] = complete(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
if #done > 0 then
  call('ZREM', P .. 'lease', unpack(done))
  call('ZREM', P .. 'live', unpack(done))
  call('DEL', unpack(tokens))
  local open = tallies.tn
  tallies.tn = nil
  settle()
  for tenant, by in pairs(open) do
    if unpark(tenant) then ring_bell() end
    if call('HINCRBY', P .. 'tn', tenant, string.format('%d', by)) <= 0 then forget_tenant(tenant) end
  end
end
return replies
