-- Whether there is room for new jobs: nil, or the answer of SUBMIT that refuses one. Counts what it
-- has let in, for the jobs of one call come into being together.
-- tl: HASH '<tenant>:o' -> open jobs, '<tenant>:r' -> running ones, '<tenant>:w' -> weight.
local caps
local function refusal(tenant)
  if not caps then
    local cfg = call('HMGET', P .. 'cfg', 'paused', 'max_jobs', 'max_per_tenant')
    caps = {paused = cfg[1] == '1', each = cfg[3] or $(max_per_tenant), left = {},
            jobs = tonumber(cfg[2] or $(max_jobs)) - call('ZCARD', P .. 'live')}
  end
  if caps.paused then return {'PAUSED'} end
  if caps.jobs <= 0 then return {'FULL', 'jobs'} end
  local left = caps.left[tenant]
  if not left then
    local cap = call('HGET', P .. 'tl', tenant .. ':o') or caps.each
    left = tonumber(cap) - tonumber(call('HGET', P .. 'tn', tenant) or 0)
  end
  if left <= 0 then return {'FULL', 'tenant'} end
  caps.left[tenant] = left - 1
  caps.jobs = caps.jobs - 1
end
