#include "common/storage/redis/redis_store.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "common/storage/record_codec.h"

namespace phasor::storage {
namespace {

using redis::RedisReply;

// Scripts take the object's key and the index's, then the name, the time to live in ms (0: for
// ever) and the bytes. They are short enough to be sent each time, so none is ever missing.
// Without a flag that allows it, Redis refuses them whole when its memory is full.
constexpr std::string_view kPut = R"LUA(#!lua
local t = redis.call('TIME')
local value = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)) .. '\n' .. ARGV[3]
if ARGV[2] == '0' then
  redis.call('SET', KEYS[1], value)
else
  redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
end
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 1
)LUA";

// Returns what stands.
constexpr std::string_view kCreate = R"LUA(#!lua
local t = redis.call('TIME')
local value = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)) .. '\n' .. ARGV[3]
local set
if ARGV[2] == '0' then
  set = redis.call('SET', KEYS[1], value, 'NX')
else
  set = redis.call('SET', KEYS[1], value, 'NX', 'PX', ARGV[2])
end
if not set then
  return redis.call('GET', KEYS[1])
end
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return value
)LUA";

constexpr std::string_view kDelete = R"LUA(#!lua flags=allow-oom
redis.call('DEL', KEYS[1])
return redis.call('ZREM', KEYS[2], ARGV[1])
)LUA";

// Takes a name out of the index unless its object is there after all.
constexpr std::string_view kForget = R"LUA(#!lua flags=allow-oom
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
return redis.call('ZREM', KEYS[2], ARGV[1])
)LUA";

constexpr size_t kLongestStamp = 15;  // digits of a time in ms, until the year 33658
constexpr size_t kMaxUnavailableText = 200;

struct Stamped {
  int64_t modified_ms = 0;
  std::string_view bytes;
};

// nullopt for what none of the scripts wrote.
std::optional<Stamped> ReadStamp(std::string_view value) {
  const size_t end = value.substr(0, kLongestStamp + 1).find('\n');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::string digits(value.substr(0, end));
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return Stamped{std::strtoll(digits.c_str(), nullptr, 10), value.substr(end + 1)};
}

StatusOr<std::string> BytesOf(const RedisReply& reply, const std::string& key) {
  const std::optional<Stamped> value = ReadStamp(reply.text);
  if (!value) return DataLoss("Redis holds something foreign in place of " + key);
  return std::string(value->bytes);
}

StatusOr<TerminalRecord> RecordOf(const RedisReply& reply, const job::JobId& id) {
  ASSIGN_OR_RETURN(const std::string bytes, BytesOf(reply, TerminalKey(id)));
  StatusOr<TerminalRecord> record = DecodeRecord(bytes);
  if (!record.ok()) return Annotate(record.status(), TerminalKey(id));
  if (record->id != id) return DataLoss(TerminalKey(id) + " belongs to job " + record->id);
  return record;
}

// What Redis says that we do not know has an unknown outcome.
Status StatusOfReply(const RedisReply& reply) {
  const Status status = redis::StatusOfError(reply.text);
  if (status.code() != StatusCode::kInternal) return status;
  return Unavailable(Message(status).substr(0, kMaxUnavailableText));
}

// The answer to a GET of a record.
StatusOr<TerminalRecord> ReadReply(const StatusOr<RedisReply>& reply, const job::JobId& id) {
  RETURN_IF_ERROR(reply.status());
  if (reply->kind == RedisReply::Kind::kError) return StatusOfReply(*reply);
  if (reply->is_nil()) return NotFound("no terminal record of job " + id);
  return RecordOf(*reply, id);
}

// "name:value" in a reply of INFO.
std::string InfoField(const std::string& info, const std::string& name) {
  const size_t at = info.find("\n" + name + ":");
  if (at == std::string::npos) return "";
  const size_t start = at + name.size() + 2;
  return info.substr(start, info.find_first_of("\r\n", start) - start);
}

}  // namespace

RedisStore::RedisStore(const RedisStoreOptions& options)
    : options_(options), index_(options.redis.prefix + "index"), pipeline_(options.redis) {}

StatusOr<std::unique_ptr<RedisStore>> RedisStore::Open(const RedisStoreOptions& options) {
  const bool record_ends = options.record_ttl.count() != 0;
  if (options.blob_ttl.count() < 0 || options.record_ttl.count() < 0) {
    return InvalidArgument("a time to live must not be negative");
  }
  if (record_ends && (options.blob_ttl.count() == 0 || options.record_ttl < options.blob_ttl)) {
    return InvalidArgument("records must not expire before the blobs that they name");
  }
  auto store = std::unique_ptr<RedisStore>(new RedisStore(options));
  const Status checked = store->CheckServer();
  if (!checked.ok()) {
    return Annotate(checked, "result store at " + redis::ToString(options.redis.address));
  }
  return store;
}

Status RedisStore::CheckServer() {
  // A connection of its own, for the pipeline does not tell a refusal from a Redis that is away.
  ASSIGN_OR_RETURN(const auto connection, redis::RedisConnection::Connect(options_.redis));
  ASSIGN_OR_RETURN(const RedisReply reply, connection->Call({"INFO"}));
  if (reply.kind == RedisReply::Kind::kError) {
    const Status refused = StatusOfReply(reply);
    return redis::PassesByItself(reply) ? refused : FailedPrecondition(Message(refused));
  }
  const std::string version = InfoField(reply.text, "redis_version");
  if (std::atoi(version.c_str()) < 7) {
    return FailedPrecondition("Redis 7.0 or newer is needed, this is '" + version + "'");
  }
  const std::string policy = InfoField(reply.text, "maxmemory_policy");
  if (InfoField(reply.text, "maxmemory") != "0" && policy != "noeviction") {
    return FailedPrecondition("this Redis evicts keys when it is full (maxmemory-policy " + policy +
                              ") and could forget how a job ended: set noeviction");
  }
  return OkStatus();
}

std::string RedisStore::ObjectKey(const std::string& key) const {
  return options_.redis.prefix + "o:" + key;
}

StatusOr<RedisReply> RedisStore::Command(const std::vector<std::string_view>& arguments) {
  ASSIGN_OR_RETURN(RedisReply reply, pipeline_.Call(arguments));
  if (reply.kind == RedisReply::Kind::kError) return StatusOfReply(reply);
  return reply;
}

StatusOr<RedisReply> RedisStore::Run(std::string_view script, const std::string& key,
                                     const std::vector<std::string_view>& arguments) {
  const std::string object = ObjectKey(key);
  std::vector<std::string_view> command = {"EVAL", script, "2", object, index_, key};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Command(command);
}

Status RedisStore::Put(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckPut(key));
  if (bytes.size() > options_.max_blob_bytes) {
    return ResourceExhausted(key + " has " + std::to_string(bytes.size()) +
                             " bytes; this store's limit is " +
                             std::to_string(options_.max_blob_bytes));
  }
  return Run(kPut, key, {std::to_string(options_.blob_ttl.count()), bytes}).status();
}

StatusOr<std::string> RedisStore::Get(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  ASSIGN_OR_RETURN(const RedisReply reply, Command({"GET", ObjectKey(key)}));
  if (reply.is_nil()) return NotFound("no object " + key);
  return BytesOf(reply, key);
}

Status RedisStore::Delete(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  return Run(kDelete, key, {}).status();
}

StatusOr<ListPage> RedisStore::List(const std::string& prefix, const std::string& cursor,
                                    int limit) {
  RETURN_IF_ERROR(CheckList(prefix, limit));
  const std::string start = prefix + "/";
  if (!cursor.empty() && (!IsLegalKey(cursor) || cursor.compare(0, start.size(), start) != 0)) {
    return InvalidArgument("the cursor is none of a listing below " + prefix);
  }
  const std::string from = cursor.empty() ? "[" + start : "(" + cursor;
  const std::string to = "(" + prefix + static_cast<char>('/' + 1);
  const std::string count = std::to_string(limit);
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Command({"ZRANGEBYLEX", index_, from, to, "LIMIT", "0", count}));
  std::vector<std::string> keys;
  for (const RedisReply& key : reply.list) keys.push_back(key.text);
  ListPage page;
  if (keys.size() == static_cast<size_t>(limit)) page.next = keys.back();
  ASSIGN_OR_RETURN(page.objects, Look(std::move(keys)));
  return page;
}

StatusOr<std::vector<StoredObject>> RedisStore::Look(std::vector<std::string> keys) {
  const std::string end = std::to_string(kLongestStamp);
  std::vector<std::string> commands;
  for (const std::string& key : keys) {
    commands.push_back(redis::FormatCommand({"GETRANGE", ObjectKey(key), "0", end}));
  }
  std::vector<StoredObject> objects;
  std::vector<StatusOr<RedisReply>> replies = pipeline_.CallAll(std::move(commands));
  for (size_t i = 0; i < keys.size(); ++i) {
    RETURN_IF_ERROR(replies[i].status());
    const RedisReply& reply = *replies[i];
    if (reply.kind == RedisReply::Kind::kError) return StatusOfReply(reply);
    if (reply.text.empty()) {
      RETURN_IF_ERROR(Run(kForget, keys[i], {}).status());
      continue;
    }
    const std::optional<Stamped> stamp = ReadStamp(reply.text);
    if (stamp) objects.push_back({std::move(keys[i]), stamp->modified_ms});
  }
  return objects;
}

StatusOr<TerminalRecord> RedisStore::CreateTerminal(const TerminalRecord& record) {
  ASSIGN_OR_RETURN(const std::string bytes, EncodeRecord(record));
  ASSIGN_OR_RETURN(
      const RedisReply reply,
      Run(kCreate, TerminalKey(record.id), {std::to_string(options_.record_ttl.count()), bytes}));
  return RecordOf(reply, record.id);
}

std::vector<StatusOr<TerminalRecord>> RedisStore::ReadTerminals(
    const std::vector<job::JobId>& ids) {
  std::vector<StatusOr<TerminalRecord>> records(ids.size(), InvalidArgument("id is no job id"));
  std::vector<std::string> commands;
  std::vector<size_t> asked;  // the id of each command
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!job::IsValidJobId(ids[i])) continue;
    // Not MGET, which says of a key of another type that it is not there.
    commands.push_back(redis::FormatCommand({"GET", ObjectKey(TerminalKey(ids[i]))}));
    asked.push_back(i);
  }
  const auto replies = pipeline_.CallAll(std::move(commands));
  for (size_t k = 0; k < asked.size(); ++k) {
    records[asked[k]] = ReadReply(replies[k], ids[asked[k]]);
  }
  return records;
}

StatusOr<std::string> RedisStore::CreateOnce(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckCreateOnce(key));
  ASSIGN_OR_RETURN(const RedisReply reply, Run(kCreate, key, {"0", bytes}));
  return BytesOf(reply, key);
}

}  // namespace phasor::storage
