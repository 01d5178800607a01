-- Whether there is room for a new job of a tenant: nil, or the answer of SUBMIT that refuses it.
-- tl: HASH '<tenant>:o' -> open jobs, '<tenant>:r' -> running ones, '<tenant>:w' -> weight.
local function refusal(tenant)
  local cfg = call('HMGET', P .. 'cfg', 'paused', 'max_jobs', 'max_per_tenant')
  if cfg[1] == '1' then return {'PAUSED'} end
  if call('ZCARD', P .. 'live') >= tonumber(cfg[2] or $(max_jobs)) then return {'FULL', 'jobs'} end
  local cap = call('HGET', P .. 'tl', tenant .. ':o') or cfg[3] or $(max_per_tenant)
  if tonumber(call('HGET', P .. 'tn', tenant) or 0) >= tonumber(cap) then
    return {'FULL', 'tenant'}
  end
end
