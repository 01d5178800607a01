-- An owner has won or read the terminal record of its job: the queue mirrors it.
local record = require('record')
local index = require('index')

-- -> OK | REPEATED (the same owner completed it before) | CANCELED | FENCED
local function complete(id, epoch, nonce, result)
  local job = record.fetch(id)
  if not job or not record.is_owner(job, tonumber(epoch), nonce) then return 'FENCED' end
  if job.state == 'DONE' then return 'REPEATED' end
  if job.state == 'CANCELED' then return 'CANCELED' end
  if job.state ~= 'LEASED' then return 'FENCED' end
  job.result, job.reason, job.code = result, false, false  -- a former owner may have left a reason
  index.finish(job, 'DONE')
  return 'OK'
end

return {complete = complete}
