// Arguments and answers of the scripts in words that all parts of RedisQueue share. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "common/base/status.h"
#include "common/job/types.h"
#include "common/redis/redis_reply.h"

namespace phasor::queue {

inline std::string Text(int64_t number) { return std::to_string(number); }
inline std::string Text(job::Priority priority) { return Text(static_cast<int64_t>(priority)); }

inline std::string KeyOrEmpty(const std::string& name) {
  return name.empty() ? std::string() : job::KeyName(name);
}

// The answer that a script's word stands for. DATA_LOSS for a word that is not in the table.
template <typename Answer, size_t n>
StatusOr<Answer> Lookup(const std::string& script, const redis::RedisReply& reply,
                        const std::array<std::pair<const char*, Answer>, n>& table) {
  for (const auto& [name, answer] : table) {
    if (reply.text == name) return answer;
  }
  return DataLoss("Redis: the script " + script + " answered '" + reply.text + "'");
}

}  // namespace phasor::queue
