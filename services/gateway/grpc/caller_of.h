// On whose behalf a call comes. The one place where a call becomes a job::Caller: every method that
// has to do with jobs asks here. The gate (gate.h) has judged the call's credential and left its
// word among the call's metadata, in place of whatever the client may have sent by that name.
#pragma once

#include <string>

#include <grpcpp/server_context.h>

#include "common/job/caller.h"

namespace phasor::gateway {

// No client can send capitals.
inline constexpr char kCallerHeader[] = "Phasor-Caller";

inline std::string ToHeader(const job::Caller& caller) {
  return (caller.role == job::Role::kOperator ? "o" : "c") + caller.tenant;
}

// Nobody, who sees no job, where no gate stands.
inline job::Caller CallerOf(const grpc::CallbackServerContext& call) {
  const auto found = call.client_metadata().find(kCallerHeader);
  if (found == call.client_metadata().end() || found->second.empty()) return {.tenant = "\x01"};
  const std::string word(found->second.data(), found->second.size());
  return {.tenant = word.substr(1),
          .role = word[0] == 'o' ? job::Role::kOperator : job::Role::kClient};
}

}  // namespace phasor::gateway
