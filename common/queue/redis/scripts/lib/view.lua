-- A job as JobView has it; the order of the fields is that of DecodeView in view_codec.cc.
local function view(id)
  local r = call('HMGET', P .. 'j:' .. id, 'st', 'i', 'k', 'ph', 'mn', 'tname', 'ep', 'tries', 'crash',
                 'step', 'ch', 'v', 'own', 'res', 'why', 'code')
  if not r[1] then return nil end
  local j = split({}, r[2], r[3])
  return {id, r[1], r[1] == 'LEASED' and r[4], j.c, j.m, r[5], j.t, r[6], r[7], r[8], r[9], r[10],
          j.enq, r[11] or j.enq, j.dl, r[12] or '1', r[13], r[14], r[15], r[16]}
end
