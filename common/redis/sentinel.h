// Which Redis is the master, by Sentinels. Asked for each connection, so that what is promoted is
// found. Stateless.
#pragma once

#include "common/base/status.h"
#include "common/redis/redis_connection.h"

namespace phasor::redis {

// The address with host and port of the master that the first Sentinel who answers names.
// UNAVAILABLE: none answers, or none knows a master by that name yet; the sentence tells why of
// each. FAILED_PRECONDITION as of RedisConnection::Connect.
// Source: https://redis.io/docs/latest/develop/reference/sentinel-clients
StatusOr<RedisAddress> FindMaster(const RedisOptions& options);

// That the other side believes itself to be a master: a Sentinel may not have heard of a failover.
// A user without the right to ask is believed; then the first write tells.
Status CheckIsMaster(RedisConnection& connection);

}  // namespace phasor::redis
