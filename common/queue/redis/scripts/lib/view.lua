-- A job as JobView has it (DecodeView in view_codec.cc).
local record = require('record')
local FIELDS = $(kViewFields)

local function view(id)
  local job = record.fetch(id)
  if not job then return nil end
  local row = {}
  for n, name in ipairs(FIELDS) do row[n] = job[name] end
  return row
end

return {view = view}
