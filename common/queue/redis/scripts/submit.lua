#!lua
-- SUBMIT: new jobs, each once. Without allow-oom: refused whole when Redis is full.
-- ARGV: from 2 on, for each job: id, class, model key, tenant key, cost, fingerprint, keep ms,
--       deadline, model name, tenant name (empty: as the key), spec
-- -> for each job: {'NEW'} | {'DUP', state} | {'CONFLICT', state} | {'PAUSED'} | {'FULL', which cap}
-- Repeating it is a DUP: the id comes from the client's idempotency key.
--#include core
--#include index
--#include caps
--#include create
local FIELDS = 11
local fresh, replies = {}, {}
local fingerprints = {}  -- of the new jobs
for i = 2, #ARGV, FIELDS do
  local id, fp = ARGV[i], ARGV[i + 5]
  local known, st = fingerprints[id], 'QUEUED'
  if not known then
    local stored = call('HMGET', P .. 'j:' .. id, 'fp', 'st')
    known, st = stored[1], stored[2]
  end
  local reply = known and {known == fp and 'DUP' or 'CONFLICT', st} or refusal(ARGV[i + 3])
  if not reply then
    reply = {'NEW'}
    fingerprints[id] = fp
    fresh[#fresh + 1] = {id = id, c = ARGV[i + 1], m = ARGV[i + 2], t = ARGV[i + 3],
                         cost = ARGV[i + 4], fp = fp, keep = ARGV[i + 6], dl = ARGV[i + 7],
                         mn = ARGV[i + 8] ~= '' and ARGV[i + 8],
                         tname = ARGV[i + 9] ~= '' and ARGV[i + 9], spec = ARGV[i + 10]}
  end
  replies[#replies + 1] = reply
end
if #fresh > 0 then create(fresh) end
return replies
