#include "common/queue/redis/permissions.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace phasor::queue {
namespace {

using redis::RedisConnection;
using redis::RedisReply;

// Each line: a command of the scripts with arguments that make it do nothing, or fail for another
// reason than the user's rights. K: a string that exists, N: a key that does not.
constexpr std::string_view kProbes = R"(
bitfield N get u1 0
bitfield_ro N get u1 0
del N
decrby K x
exists N
get K
hdel N f
hexists N f
hget N f
hgetall N
hincrby N f x
hkeys N
hlen N
hmget N f
hrandfield N 1
hscan N 0
hset N f v odd
hsetnx K f v
incr K
incrby K x
lindex N 0
linsert N before a b
llen N
lmove N N left left
lpop N
lpos N a
lpush K a
lrange N 0 0
lrem N 0 a
ltrim N 0 0
mget K
mset K v N
publish C
rename N N
rpop N
rpush K a
sadd K a
scan 0 match N count 1
set K v odd
sismember N a
smismember N a
time
unlink N
zadd N x a
zcard N
zmscore N a
zrange N 0 0
zrem N a
zremrangebyrank N 0 0
zscan N 0
zscore N a
)";

// Runs the probes and returns the rules that are missing. Redis words its refusals anew with each
// version. To 7.0: "The user executing the script can't ... run this command", "access at least one
// of the keys", "publish to the channel"; since, and Valkey: "ACL failure in script: ...
// no permissions to run the 'x' command", "No permissions to access a key", "... a channel".
constexpr std::string_view kProbeScript = R"LUA(
local P, lines = KEYS[1], ARGV[1]
local stands = { K = P .. 'probe', N = P .. 'probe:none', C = P .. 'ev' }
local missing, seen = {}, {}
local function note(rule)
  if not seen[rule] then
    seen[rule] = true
    missing[#missing + 1] = rule
  end
end
local function forbids(refusal)
  return refusal:find('NOPERM', 1, true) or refusal:find('ACL failure', 1, true) or
         refusal:find('user executing the script', 1, true)
end
local function try(words)
  local reply = redis.pcall(unpack(words))
  local refusal = type(reply) == 'table' and reply.err or ''
  if not forbids(refusal) then
    return
  elseif refusal:find(' run ', 1, true) then
    note('+' .. words[1])
  elseif refusal:find('channel', 1, true) then
    note('&' .. P .. 'ev')
  else
    note('~' .. P .. '*')
  end
end
if redis.pcall('EXISTS', P .. 'probe') == 0 then
  try({ 'set', P .. 'probe', 'x' })
end
for line in lines:gmatch('[^\n]+') do
  local words = {}
  for word in line:gmatch('%S+') do
    words[#words + 1] = stands[word] or word
  end
  if words[1] == 'publish' then
    words[3] = ''
  end
  try(words)
end
return missing
)LUA";

// What the adapter itself sends, apart from EVAL and EVALSHA.
const std::vector<std::string> kOwnCommands = {"blpop", "eval", "evalsha",     "info",
                                               "ping",  "hget", "script|load", "subscribe"};

std::vector<std::string> CommandsOfProbes() {
  std::vector<std::string> commands;
  std::string_view rest = kProbes;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.empty()) commands.emplace_back(line.substr(0, line.find(' ')));
  }
  return commands;
}

// Notes the rule that an error reply to `command` says is missing.
void Note(const RedisReply& reply, const std::string& prefix, const std::string& command,
          std::vector<std::string>* missing) {
  if (reply.kind != RedisReply::Kind::kError || reply.text.rfind("NOPERM", 0) != 0) return;
  std::string rule = "+" + command;
  if (reply.text.find(" run ") == std::string::npos) {
    const bool channel = reply.text.find("channel") != std::string::npos;
    rule = channel ? "&" + prefix + "ev" : "~" + prefix + "*";
  }
  if (std::find(missing->begin(), missing->end(), rule) == missing->end()) {
    missing->push_back(rule);
  }
}

}  // namespace

std::vector<std::string> NeededCommands() {
  std::vector<std::string> commands = CommandsOfProbes();
  commands.insert(commands.end(), kOwnCommands.begin(), kOwnCommands.end());
  std::sort(commands.begin(), commands.end());
  commands.erase(std::unique(commands.begin(), commands.end()), commands.end());
  return commands;
}

std::string NeededRules(const std::string& prefix) {
  std::string rules = "resetkeys ~" + prefix + "* resetchannels &" + prefix + "ev -@all";
  for (const std::string& command : NeededCommands()) rules += " +" + command;
  return rules;
}

StatusOr<std::vector<std::string>> MissingRules(RedisConnection& connection,
                                                const std::string& prefix) {
  std::vector<std::string> missing;
  const std::string none = prefix + "probe:none";
  const std::string channel = prefix + "ev";
  const std::vector<std::pair<std::string, std::vector<std::string_view>>> own = {
      {"ping", {"PING"}},
      {"info", {"INFO", "server"}},
      {"hget", {"HGET", none, "f"}},
      {"blpop", {"BLPOP", none, "0.001"}},
      {"script|load", {"SCRIPT", "LOAD", kProbeScript}},
      {"evalsha", {"EVALSHA", "0000000000000000000000000000000000000000", "1", prefix}},
      {"publish", {"PUBLISH", channel, ""}},
  };
  for (const auto& [rule, command] : own) {
    ASSIGN_OR_RETURN(const RedisReply reply, connection.Call(command));
    if (redis::PassesByItself(reply)) return redis::StatusOfError(reply.text);
    Note(reply, prefix, rule, &missing);
  }
  ASSIGN_OR_RETURN(const RedisReply found,
                   connection.Call({"EVAL", kProbeScript, "1", prefix, kProbes}));
  if (redis::PassesByItself(found)) return redis::StatusOfError(found.text);
  Note(found, prefix, "eval", &missing);
  for (const RedisReply& rule : found.list) {
    if (std::find(missing.begin(), missing.end(), rule.text) == missing.end()) {
      missing.push_back(rule.text);
    }
  }
  ASSIGN_OR_RETURN(const RedisReply heard, connection.Call({"SUBSCRIBE", channel}));
  Note(heard, prefix, "subscribe", &missing);
  return missing;
}

}  // namespace phasor::queue
