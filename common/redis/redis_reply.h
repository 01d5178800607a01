// A reply of Redis as a value, and what its errors mean to us.
//
// Redis refuses for many reasons that pass (loading, read-only, busy, moved): UNAVAILABLE with a
// sentence. Full memory is RESOURCE_EXHAUSTED. Only what is our own mistake is INTERNAL.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"

struct redisReply;

namespace phasor::redis {

struct RedisReply {
  enum class Kind { kNil, kInteger, kText, kList, kError };
  Kind kind = Kind::kNil;
  int64_t integer = 0;
  std::string text;  // also an error's message
  std::vector<RedisReply> list;

  bool is_nil() const { return kind == Kind::kNil; }
  // An integer, also one written as text; 0 for anything else.
  int64_t AsInteger() const;
  // Field `i` of a list; nil beyond its end.
  const RedisReply& operator[](size_t i) const;
};

RedisReply CopyReply(const redisReply& reply);

// Of an error reply such as "LOADING Redis is loading the dataset in memory".
Status StatusOfError(const std::string& message);
bool IsNoScript(const RedisReply& reply);
// An error of a server that is not, or not now, the one to talk to (a replica, one that loads or
// can't write, a node that others have taken over from): the name may lead to another one already.
bool IsWrongServer(const RedisReply& reply);
// An error that is over some time without anybody doing anything to Redis.
bool PassesByItself(const RedisReply& reply);

}  // namespace phasor::redis
