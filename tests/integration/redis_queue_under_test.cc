#include "tests/integration/redis_queue_under_test.h"

#include "common/queue/redis/job_fields.h"
#include "common/queue/redis/server_facts.h"

namespace phasor::queue {
namespace {

// Returns one sentence for each job or counter that disagrees with an index.
// ARGV: number of submitted fields, their names, names of a record's fields.
constexpr std::string_view kAudit = R"LUA(#!lua flags=no-writes
local P, call, bad = KEYS[1], redis.call, {}
local SUBMITTED = {unpack(ARGV, 2, 1 + ARGV[1])}
local RECORD = {unpack(ARGV, 2 + ARGV[1])}
local function named(names, values)
  local fields = {}
  for n, name in ipairs(names) do fields[name] = values[n] end
  return fields
end
local function expect(id, name, there, wanted)
  if (there and true or false) ~= wanted then
    bad[#bad + 1] = id .. ': ' .. name .. (wanted and ' lacks it' or ' has it')
  end
end
local live, ended, open, running, depth = 0, 0, {}, {}, {}
local indexes = {lease = 'LEASED', delay = 'WAIT', seal = 'SEALING'}
local counted = {LEASED = 0, WAIT = 0, SEALING = 0, DEAD = 0}
for _, key in ipairs(call('KEYS', P .. 'j:*')) do
  local id = key:sub(#P + 3)
  expect(id, 'spec', call('EXISTS', P .. 's:' .. id) == 1, true)
end
for _, key in ipairs(call('KEYS', P .. 's:*')) do
  local id = key:sub(#P + 3)
  local _, h = cmsgpack.unpack_one(call('GET', key))
  h = named(SUBMITTED, h)
  local st, m, c, t, dl, sq = 'QUEUED', h.model, h.class, h.tenant, h.deadline, tostring(h.sequence)
  local record = call('GET', P .. 'j:' .. id)
  local j = record and named(RECORD, cmsgpack.unpack(record)) or {}
  if record then
    st = j.state
    local same = true
    for _, name in ipairs(SUBMITTED) do
      same = same and (j[name] == h[name] or name == 'fingerprint' or name == 'solo')
    end
    expect(id, 'the same in both records', same, true)
  end
  local is_live = st == 'QUEUED' or st == 'WAIT' or st == 'LEASED' or st == 'SEALING'
  expect(id, 'live', call('ZSCORE', P .. 'live', id), is_live)
  expect(id, 'the list of ' .. st, call('LPOS', P .. 'q:' .. m .. ':' .. c .. ':' .. t, id),
         st == 'QUEUED')
  if st == 'QUEUED' then
    local parked = (call('HGET', P .. 'park', t) or ''):find(' ' .. m .. ':' .. c .. ' ', 1, true)
    local in_ring = call('LPOS', P .. 'ring:' .. m .. ':' .. c, t)
    expect(id, 'ring', in_ring or parked, true)
    expect(id, 'ring and park', in_ring and parked, false)
    expect(id, 'used', call('HEXISTS', P .. 'dq:' .. m .. ':' .. c, t) == 1, true)
  end
  for index, state in pairs(indexes) do
    expect(id, index, call('ZSCORE', P .. index, id), st == state)
    if st == state then counted[state] = counted[state] + 1 end
  end
  expect(id, 'number in all', call('ZSCORE', P .. 'all', id) == sq, true)
  if is_live then expect(id, 'number in live', call('ZSCORE', P .. 'live', id) == sq, true) end
  if st ~= 'DEAD' then expect(id, 'dead', call('ZSCORE', P .. 'dead', id), false) end
  expect(id, 'due', call('ZSCORE', P .. 'due', id),
         dl > 0 and (st == 'QUEUED' or st == 'WAIT'))
  expect(id, 'gone', call('ZSCORE', P .. 'gone', id), not is_live)
  expect(id, 'tk', j.nonce and call('HGET', P .. 'tk', j.nonce) == id, st == 'LEASED')
  if not is_live then ended = ended + 1 end
  if is_live then
    live = live + 1
    open[t] = (open[t] or 0) + 1
    if st == 'LEASED' then running[t] = (running[t] or 0) + 1 end
    local field = m .. ' ' .. (({LEASED = 'run', WAIT = 'wait', SEALING = 'none'})[st] or c)
    depth[field] = (depth[field] or 0) + 1
    if st == 'QUEUED' then depth[m .. ' cost'] = (depth[m .. ' cost'] or 0) + h.cost end
  end
end
expect('live', 'the count', call('ZCARD', P .. 'live') == live, true)
expect('gone', 'the count', call('ZCARD', P .. 'gone') == ended, true)
expect('tk', 'the count', call('HLEN', P .. 'tk') == counted.LEASED, true)
for index, state in pairs(indexes) do
  expect(index, 'the count', call('ZCARD', P .. index) == counted[state], true)
end
local open_jobs = {}  -- of these tenants the counter of running jobs may be 0
for t in pairs(open) do open_jobs[t] = true end
for name, counted in pairs({tn = open, tr = running}) do
  local tenants = call('HGETALL', P .. name)
  for i = 1, #tenants, 2 do
    local wanted = counted[tenants[i]] or (name == 'tr' and open_jobs[tenants[i]] and 0)
    expect(tenants[i], name, tonumber(tenants[i + 1]) == wanted, true)
    counted[tenants[i]] = nil
  end
  for tenant in pairs(counted) do bad[#bad + 1] = tenant .. ': ' .. name .. ' lacks it' end
end
local parked = call('HGETALL', P .. 'park')
for i = 1, #parked, 2 do
  for m, c in parked[i + 1]:gmatch('(%S+):(%d)') do
    expect(parked[i], 'park without a list',
           call('EXISTS', P .. 'q:' .. m .. ':' .. c .. ':' .. parked[i]) == 1, true)
  end
end
for _, key in ipairs(call('KEYS', P .. 'depth:*')) do
  local m = key:sub(#P + 7)
  local fields = call('HGETALL', key)
  for i = 1, #fields, 2 do
    expect(m .. ' ' .. fields[i], 'depth',
           tonumber(fields[i + 1]) == (depth[m .. ' ' .. fields[i]] or 0), true)
  end
end
return bad
)LUA";

}  // namespace

RedisOptions OptionsFor(const std::string& url) {
  RedisOptions options;
  options.address = ParseRedisUrl(url).value();
  return options;
}

RedisQueueUnderTest::RedisQueueUnderTest(const std::string& url)
    : connection_(RedisConnection::Connect(OptionsFor(url)).value()), queue_(OptionsFor(url)) {
  Call({"FLUSHALL"});
}

RedisReply RedisQueueUnderTest::Call(const std::vector<std::string_view>& arguments) {
  return connection_->Call(arguments).value();
}

void RedisQueueUnderTest::DeclareWhole() {
  const std::string instance = JudgeServer(Call({"INFO"}).text)->instance;
  Call({"HSET", "{phasor}:fleet", "whole", instance});
}

std::vector<std::string> RedisQueueUnderTest::Violations() {
  const std::string submitted = std::to_string(std::size(kSubmittedFields));
  std::vector<std::string_view> arguments = {"EVAL", kAudit, "1", "{phasor}:", submitted};
  for (const JobField& field : kSubmittedFields) arguments.push_back(field.name);
  for (const JobField& field : kRecordFields) arguments.push_back(field.name);
  const RedisReply reply = Call(arguments);
  if (reply.kind != RedisReply::Kind::kList) return {"the audit failed: " + reply.text};
  std::vector<std::string> found;
  for (const RedisReply& line : reply.list) found.push_back(line.text);
  return found;
}

}  // namespace phasor::queue
