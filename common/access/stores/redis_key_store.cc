#include "common/access/stores/redis_key_store.h"

#include <algorithm>

namespace phasor::access {
namespace {

using redis::RedisReply;

constexpr char kVersion[] = "#version";  // no key's id

// Both change the record and the version in one step: a revoked key whose version stood still would
// live on.
constexpr std::string_view kAdd = R"LUA(#!lua
local added = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
if added == 1 then redis.call('HINCRBY', KEYS[1], '#version', 1) end
return added
)LUA";

constexpr std::string_view kRemove = R"LUA(#!lua flags=allow-oom
local removed = redis.call('HDEL', KEYS[1], ARGV[1])
if removed == 1 then redis.call('HINCRBY', KEYS[1], '#version', 1) end
return removed
)LUA";

StatusOr<RedisReply> NoError(StatusOr<RedisReply> reply) {
  if (reply.ok() && reply->kind == RedisReply::Kind::kError) {
    return redis::StatusOfError(reply->text);
  }
  return reply;
}

// A hash that is not there is at its beginning.
std::string VersionIn(const std::string& text) { return text.empty() ? "0" : text; }

}  // namespace

Status RedisKeyStore::Add(const KeyRecord& record) {
  const std::string text = EncodeKeyRecord(record);
  ASSIGN_OR_RETURN(const RedisReply added,
                   NoError(pipeline_.Call({"EVAL", kAdd, "1", key_, record.id, text})));
  return added.AsInteger() == 1 ? OkStatus() : AlreadyExists("there is a key of this id");
}

Status RedisKeyStore::Remove(const std::string& id) {
  if (!IsValidKeyId(id)) return NotFound("there is no such key");
  ASSIGN_OR_RETURN(const RedisReply removed,
                   NoError(pipeline_.Call({"EVAL", kRemove, "1", key_, id})));
  return removed.AsInteger() == 1 ? OkStatus() : NotFound("there is no such key");
}

StatusOr<KeyList> RedisKeyStore::Read() {
  ASSIGN_OR_RETURN(const RedisReply all, NoError(pipeline_.Call({"HGETALL", key_})));
  KeyList list{.keys = {}, .version = VersionIn("")};
  for (size_t i = 0; i + 1 < all.list.size(); i += 2) {
    const std::string& id = all[i].text;
    if (id == kVersion) {
      list.version = all[i + 1].text;
      continue;
    }
    auto record = DecodeKeyRecord(all[i + 1].text);
    record.ok() && record->id == id ? list.keys.push_back(*std::move(record))
                                    : void(++list.damaged);
  }
  std::sort(list.keys.begin(), list.keys.end(),
            [](const auto& one, const auto& other) { return one.id < other.id; });
  return list;
}

StatusOr<std::string> RedisKeyStore::Version() {
  ASSIGN_OR_RETURN(const RedisReply version, NoError(pipeline_.Call({"HGET", key_, kVersion})));
  return VersionIn(version.text);
}

}  // namespace phasor::access
