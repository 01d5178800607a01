// Replies of the scripts as the values of the ports. A reply of another shape means that somebody
// else wrote our keys: DATA_LOSS. Pure functions.
#pragma once

#include "common/base/status.h"
#include "common/queue/queue.h"
#include "common/redis/redis_reply.h"

namespace phasor::queue {

using redis::RedisReply;

// Of lib/view.lua; with position and spec behind it where get.lua added them.
StatusOr<JobView> DecodeView(const RedisReply& row);
// Of take.lua.
StatusOr<Grant> DecodeGrant(const RedisReply& row, const std::string& nonce);
// Of stats.lua.
StatusOr<QueueStats> DecodeStats(const RedisReply& reply);
// Of seals.lua.
StatusOr<SealRequest> DecodeSeal(const RedisReply& row);
StatusOr<State> DecodeState(const RedisReply& reply);

}  // namespace phasor::queue
