#!lua flags=allow-oom
-- RECOVER: moves what time alone moves (lib/sweep.lua) and forgets the jobs that ended long
-- enough ago. Any number of callers may run it.
-- ARGV: 2 limit for each kind
-- -> jobs moved
local call = require('core').call
local keys = require('keys')
local change = require('change')
local sweep = require('sweep')

local limit = ARGV[2]
local old = sweep.due(keys.ended, limit)
if #old > 0 then
  local strings = {}
  for n, id in ipairs(old) do
    strings[2 * n - 1], strings[2 * n] = keys.record .. id, keys.submission .. id
  end
  call('DEL', unpack(strings))
  for _, set in ipairs({keys.all, keys.dead, keys.ended}) do call('ZREM', set, unpack(old)) end
end
return change.commit((sweep.sweep(limit, limit, limit)))
