#!lua
-- SUBMIT: a new job, once. Without allow-oom: refused whole when Redis is full.
-- ARGV: 2 id, 3 class, 4 model key, 5 tenant key, 6 cost, 7 fingerprint, 8 keep ms, 9 deadline,
--       10 model name, 11 tenant name (empty: as the key), 12 spec
-- -> {'NEW'} | {'DUP', state} | {'CONFLICT', state} | {'PAUSED'} | {'FULL', which cap}
-- Repeating it is a DUP: the id comes from the client's idempotency key.
--#include core
--#include index
--#include caps
local id = ARGV[2]
local known = call('HMGET', P .. 'j:' .. id, 'fp', 'st')
if known[1] then return {known[1] == ARGV[7] and 'DUP' or 'CONFLICT', known[2]} end
local refused = refusal(ARGV[5])
if refused then return refused end

local j = {m = ARGV[4], c = ARGV[3], t = ARGV[5], dl = ARGV[9]}
local length = create(id, j, ARGV[12], 'cost', ARGV[6], 'fp', ARGV[7], 'keep', ARGV[8])
if ARGV[10] ~= '' then call('HSET', P .. 'j:' .. id, 'mn', ARGV[10]) end
if ARGV[11] ~= '' then call('HSET', P .. 'j:' .. id, 'tname', ARGV[11]) end
if length == 1 then
  call('HSET', P .. 'models', j.m, ARGV[10] ~= '' and ARGV[10] or j.m)
end
return {'NEW'}
