#!lua flags=allow-oom
-- SET_PAUSED: a paused queue refuses new jobs (SUBMIT) and hands none out (TAKE); what runs goes
-- on.
-- ARGV: 2 paused (1/0)
-- -> OK
--#include core
--#include change
--#include ring
call('HSET', P .. 'cfg', 'paused', ARGV[2])
if ARGV[2] == '0' then ring_all() end
return commit('OK')
