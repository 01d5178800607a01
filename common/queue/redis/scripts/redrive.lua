#!lua
-- REDRIVE: a dead letter as a new job, the next generation of its id, to run alone. The dead one
-- stays. Without allow-oom: refused whole when Redis is full.
-- ARGV: 2 id, 3 id of the next generation, 4 tenant key (empty: any)
-- -> {'NEW', state} | {'DUP', state of the new job} | {'UNKNOWN'} | {'NOT_DEAD', state} |
--    {'PAUSED'} | {'FULL', which cap}
--#include core
--#include change
--#include ring
--#include caps
--#include create
local id, new = ARGV[2], ARGV[3]
local j = fetch(id)
local bytes = call('GET', P .. 's:' .. id)
if not j or not bytes or (ARGV[4] ~= '' and ARGV[4] ~= j.t) then return {'UNKNOWN'} end
if state(new) then return {'DUP', state(new)} end
if j.st ~= 'DEAD' then return {'NOT_DEAD', j.st} end
local refused = refusal(j.t)
if refused then return refused end

create({{id = new, m = j.m, c = j.c, t = j.t, dl = 0, keep = j.keep, cost = j.cost,
         fp = header(bytes)[9], mn = j.mn, tname = j.tname, solo = 1, spec = spec_of(j)}})
return commit({'NEW', 'QUEUED'})
