-- A job as JobView has it; the order of the fields is that of DecodeView in view_codec.cc.
local function view(id)
  local row = call('HMGET', P .. 'j:' .. id, 'st', 'ph', 'c', 'm', 'mn', 't', 'tname', 'ep', 'tries',
                   'crash', 'step', 'enq', 'ch', 'dl', 'v', 'own', 'res', 'why', 'code')
  if not row[1] then return nil end
  table.insert(row, 1, id)
  return row
end
