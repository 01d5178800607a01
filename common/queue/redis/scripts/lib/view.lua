-- A job as JobView has it; the order of the fields is that of DecodeView in view_codec.cc.
local function view(id)
  local j = fetch(id)
  if not j then return nil end
  return {id, j.st, j.st == 'LEASED' and j.ph or false, j.c, j.m, j.mn or false, j.t, j.tname or false, j.ep,
          j.tries or 0, j.crash or 0, j.step or 0, j.enq, j.ch or j.enq, j.dl, j.v, j.own or false,
          j.res or false, j.why or false, j.code or false}
end
