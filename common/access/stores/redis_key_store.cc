#include "common/access/stores/redis_key_store.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace phasor::access {
namespace {

using redis::RedisReply;

constexpr char kVersion[] = "#version";  // no key's id

// Both change the record, the version and the list of changes in one step: a revoked key whose
// version stood still would live on. KEYS: keys, changes; ARGV: id, who, and the new record.
constexpr std::string_view kAdd = R"LUA(#!lua
local added = redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[3])
if added == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], '#version', 1)
local key, now = cjson.decode(ARGV[3]), redis.call('TIME')
redis.call('RPUSH', KEYS[2], cjson.encode({made = true, id = ARGV[1], by = ARGV[2], name = key.name,
           tenant = key.tenant, roles = key.roles, at_ms = now[1] * 1000 + math.floor(now[2] / 1000)}))
redis.call('LTRIM', KEYS[2], -1000, -1)
return 1
)LUA";

constexpr std::string_view kRemove = R"LUA(#!lua flags=allow-oom
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not record then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[1], '#version', 1)
local whole, key = pcall(cjson.decode, record)
if not whole or type(key) ~= 'table' then key = {} end
local now = redis.call('TIME')
redis.call('RPUSH', KEYS[2], cjson.encode({made = false, id = ARGV[1], by = ARGV[2], name = key.name,
           tenant = key.tenant, roles = key.roles, at_ms = now[1] * 1000 + math.floor(now[2] / 1000)}))
redis.call('LTRIM', KEYS[2], -1000, -1)
return 1
)LUA";

constexpr std::string_view kAtOnce = "1000";

// What is no change's text says nothing.
KeyChange DecodeChange(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  const auto word = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  KeyChange change{.made = json.value("made", nlohmann::json()) == true,
                   .id = word("id"),
                   .name = word("name"),
                   .tenant = word("tenant"),
                   .roles = "",
                   .by = word("by"),
                   .at_ms = 0};
  for (const auto& role : json.value("roles", nlohmann::json::array())) {
    if (role.is_string())
      change.roles += (change.roles.empty() ? "" : ",") + role.get<std::string>();
  }
  const auto at = json.find("at_ms");
  if (at != json.end() && at->is_number_integer()) change.at_ms = at->get<int64_t>();
  return change;
}

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
  ASSIGN_OR_RETURN(
      const RedisReply added,
      NoError(pipeline_.Call({"EVAL", kAdd, "2", key_, changes_, record.id, by_, text})));
  return added.AsInteger() == 1 ? OkStatus() : AlreadyExists("there is a key of this id");
}

Status RedisKeyStore::Remove(const std::string& id) {
  if (!IsValidKeyId(id)) return NotFound("there is no such key");
  ASSIGN_OR_RETURN(const RedisReply removed,
                   NoError(pipeline_.Call({"EVAL", kRemove, "2", key_, changes_, id, by_})));
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

StatusOr<std::vector<KeyChange>> RedisKeyStore::TakeChanges() {
  ASSIGN_OR_RETURN(const RedisReply taken, NoError(pipeline_.Call({"LPOP", changes_, kAtOnce})));
  std::vector<KeyChange> changes;
  for (const RedisReply& text : taken.list) changes.push_back(DecodeChange(text.text));
  return changes;
}

}  // namespace phasor::access
