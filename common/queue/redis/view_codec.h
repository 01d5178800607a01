// Replies of the scripts as the values of the ports. A reply of another shape means that somebody
// else wrote our keys: DATA_LOSS. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/redis/redis_reply.h"

namespace phasor::queue {

using redis::RedisReply;

// Of lib/view.lua; with position and spec behind it where get.lua added them.
StatusOr<JobView> DecodeView(const RedisReply& row);
// Of take.lua, the answer to the completion before it.
StatusOr<Grant> DecodeGrant(const RedisReply& row, const std::string& nonce);
// Of stats.lua: the totals and some of the models. Returns where to go on, empty: those were the
// last.
StatusOr<std::string> DecodeStats(const RedisReply& reply, QueueStats* into);
// Of audit.lua.
StatusOr<AuditReport> DecodeAudit(const RedisReply& reply);
// The fields of the hash `cfg`; what is not there has the default.
std::vector<std::pair<std::string, int64_t>> EncodeLimits(const QueueLimits& limits);
StatusOr<QueueLimits> DecodeLimits(const RedisReply& fields);
// Of seals.lua.
StatusOr<SealRequest> DecodeSeal(const RedisReply& row);
StatusOr<State> DecodeState(const RedisReply& reply);

}  // namespace phasor::queue
