#!lua flags=allow-oom
-- SET_PAUSED: a paused queue refuses new jobs (SUBMIT) and hands none out (TAKE); what runs goes
-- on.
-- ARGV: 2 paused (1/0)
-- -> OK
local keys = require('keys')
local change = require('change')

local paused = ARGV[2]
require('core').call('HSET', keys.config, 'paused', paused)
if paused == '0' then change.ring_all() end
return change.commit('OK')
