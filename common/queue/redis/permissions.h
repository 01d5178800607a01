// What a Redis user must be allowed to do for the queue, and whether it is. Nothing is asked of ACL
// commands, which such a user has no right to: each command is tried in a way that changes nothing.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/redis/redis_connection.h"

namespace phasor::queue {

// The commands of the scripts and of the adapter, as rules name them: "hset", "script|load".
std::vector<std::string> NeededCommands();

// The rules that such a user needs besides its password: keys, channel, commands.
std::string NeededRules(const std::string& prefix);

// Of NeededRules those that the connection's user lacks: "+publish", "~{phasor}:*", "&{phasor}:ev".
// UNAVAILABLE: it can't be found out now. The connection must not be used afterwards.
StatusOr<std::vector<std::string>> MissingRules(redis::RedisConnection& connection,
                                                const std::string& prefix);

}  // namespace phasor::queue
