#!lua flags=allow-oom
-- RECOVER: moves what time alone moves (lib/sweep.lua). Any number of callers may run it.
-- ARGV: 2 limit for each kind
-- -> jobs moved
local change = require('change')
local sweep = require('sweep')

local limit = ARGV[2]
return change.commit((sweep.sweep(limit, limit, limit)))
