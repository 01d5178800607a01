#include "common/redis/redis_reply.h"

#include <hiredis/hiredis.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace phasor::redis {
namespace {

// What is to be done about a refusal.
enum class Cure { kOtherServer, kWait, kPeople };

struct Refusal {
  std::string_view prefix;
  std::string_view sentence;
  Cure cure;
};

constexpr std::array<Refusal, 19> kRefusals = {{
    {"LOADING", "Redis is still loading its data", Cure::kOtherServer},
    {"READONLY", "this Redis is a read-only replica", Cure::kOtherServer},
    {"MISCONF", "Redis cannot write its data to disk and refuses changes", Cure::kOtherServer},
    {"MOVED", "the keys have moved to another Redis node", Cure::kOtherServer},
    {"ASK", "the keys are moving to another Redis node", Cure::kOtherServer},
    {"TRYAGAIN", "the keys are moving to another Redis node", Cure::kOtherServer},
    {"CLUSTERDOWN", "the Redis cluster is down", Cure::kOtherServer},
    {"MASTERDOWN", "the Redis replica has lost its master", Cure::kOtherServer},
    {"NOREPLICAS", "Redis has too few replicas to accept changes", Cure::kOtherServer},
    {"BUSY", "Redis is busy with a long script", Cure::kWait},
    {"UNKILLABLE", "Redis is busy with a long script", Cure::kWait},
    {"NOAUTH", "Redis wants a password", Cure::kPeople},
    {"ERR Protocol error: unauthenticated", "Redis wants a password", Cure::kPeople},
    {"WRONGPASS", "Redis refused the user or password", Cure::kPeople},
    {"NOPERM", "the Redis user lacks a permission", Cure::kPeople},
    {"ERR The user executing the script can't", "the Redis user lacks a permission", Cure::kPeople},
    {"ERR ACL failure in script", "the Redis user lacks a permission", Cure::kPeople},
    {"ERR max number of clients", "Redis has reached its limit of connections", Cure::kWait},
    {"ERR invalid password", "Redis refused the user or password", Cure::kPeople},
}};

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// nullptr: none that we know.
const Refusal* FindRefusal(std::string_view message) {
  for (const Refusal& refusal : kRefusals) {
    if (StartsWith(message, refusal.prefix)) return &refusal;
  }
  return nullptr;
}

}  // namespace

int64_t RedisReply::AsInteger() const {
  if (kind == Kind::kInteger) return integer;
  return kind == Kind::kText ? std::strtoll(text.c_str(), nullptr, 10) : 0;
}

const RedisReply& RedisReply::operator[](size_t i) const {
  static const RedisReply kNone;
  return i < list.size() ? list[i] : kNone;
}

RedisReply CopyReply(const redisReply& reply) {
  RedisReply copy;
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      copy.kind = RedisReply::Kind::kInteger;
      copy.integer = reply.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      copy.kind =
          reply.type == REDIS_REPLY_ERROR ? RedisReply::Kind::kError : RedisReply::Kind::kText;
      copy.text.assign(reply.str, static_cast<size_t>(reply.len));
      break;
    case REDIS_REPLY_ARRAY:
      copy.kind = RedisReply::Kind::kList;
      copy.list.reserve(reply.elements);
      for (size_t i = 0; i < reply.elements; ++i) {
        copy.list.push_back(CopyReply(*reply.element[i]));
      }
      break;
    default:
      break;
  }
  return copy;
}

Status StatusOfError(const std::string& message) {
  // Inside a script Redis 7 keeps the code in front of the message as well.
  if (StartsWith(message, "OOM") ||
      message.find("when used memory > 'maxmemory'") != std::string::npos) {
    return ResourceExhausted(
        "Redis is out of memory: it takes nothing new until something is done or expires");
  }
  if (const Refusal* refusal = FindRefusal(message)) {
    return Unavailable(std::string(refusal->sentence) + " (" + message + ")");
  }
  return Internal("Redis: " + message);
}

bool IsNoScript(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::kError && StartsWith(reply.text, "NOSCRIPT");
}

bool IsWrongServer(const RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::kError) return false;
  const Refusal* refusal = FindRefusal(reply.text);
  return refusal != nullptr && refusal->cure == Cure::kOtherServer;
}

bool PassesByItself(const RedisReply& reply) {
  if (reply.kind != RedisReply::Kind::kError) return false;
  const Refusal* refusal = FindRefusal(reply.text);
  return refusal != nullptr && refusal->cure != Cure::kPeople;
}

}  // namespace phasor::redis
