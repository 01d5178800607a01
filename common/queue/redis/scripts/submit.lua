#!lua
-- SUBMIT: new jobs, each once. Without allow-oom: refused whole when Redis is full.
-- ARGV: from 2 on, for each job: id, class, model key, tenant key, cost, fingerprint, keep ms,
--       deadline, model name, tenant name (empty: as the key), spec
-- -> for each job: {'NEW'} | {'DUP', state} | {'CONFLICT', state} | {'PAUSED'} | {'FULL', which cap}
-- Repeating it is a DUP: the id comes from the client's idempotency key.
--#include core
--#include change
--#include ring
--#include caps
--#include create
local FIELDS = 11
local keys = {}
for i = 2, #ARGV, FIELDS do keys[#keys + 1] = P .. 's:' .. ARGV[i] end
local stored = call('MGET', unpack(keys))

local fresh, replies = {}, {}
local fingerprints = {}  -- of the new jobs
for i = 2, #ARGV, FIELDS do
  local id, fp = ARGV[i], ARGV[i + 5]
  local bytes = stored[#replies + 1]
  local before = bytes and header(bytes)[9] or fingerprints[id]
  local reply
  if before then
    reply = {before == fp and 'DUP' or 'CONFLICT', bytes and state(id) or 'QUEUED'}
  else
    reply = refusal(ARGV[i + 3])
  end
  if not reply then
    reply = {'NEW'}
    fingerprints[id] = fp
    fresh[#fresh + 1] = {id = id, c = ARGV[i + 1], m = ARGV[i + 2], t = ARGV[i + 3],
                         cost = tonumber(ARGV[i + 4]), fp = fp, keep = tonumber(ARGV[i + 6]),
                         dl = tonumber(ARGV[i + 7]), mn = ARGV[i + 8] ~= '' and ARGV[i + 8],
                         tname = ARGV[i + 9] ~= '' and ARGV[i + 9], spec = ARGV[i + 10]}
  end
  replies[#replies + 1] = reply
end
if #fresh > 0 then create(fresh) end
return commit(replies)
