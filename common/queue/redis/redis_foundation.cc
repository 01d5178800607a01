#include "common/queue/redis/redis_foundation.h"

#include "common/queue/redis/permissions.h"
#include "common/queue/redis/server_facts.h"

namespace phasor::queue {

using redis::RedisConnection;
using redis::RedisReply;

namespace {

// Asking for all of a user's rights takes Redis most of a millisecond, which thousands of workers
// would ask for again and again; who loses some later is told by the calls that need them.
constexpr Millis kPermissionsEvery{120'000};

}  // namespace

StatusOr<Footing> RedisFoundation::Check() {
  ASSIGN_OR_RETURN(const auto connection, RedisConnection::Connect(options_));
  ASSIGN_OR_RETURN(const RedisReply info, connection->Call({"INFO"}));
  const bool refused = info.kind == RedisReply::Kind::kError;
  if (refused && redis::PassesByItself(info)) return redis::StatusOfError(info.text);
  if (refused && info.text.rfind("NOPERM", 0) != 0) {
    return FailedPrecondition("Redis at " + ToString(options_.address) + ": " +
                              Message(redis::StatusOfError(info.text)));
  }
  // Without a right to INFO the permissions say what is wrong.
  StatusOr<Footing> footing = refused ? StatusOr<Footing>(Footing{}) : JudgeServer(info.text);
  if (!footing.ok()) return Annotate(footing.status(), "Redis at " + ToString(options_.address));
  const int64_t connections = connections_();
  if (refused || PermissionsAreDue(connections)) {
    RETURN_IF_ERROR(CheckPermissions(*connection));
    MutexLock lock(&mu_);
    permitted_ = {connections, std::chrono::steady_clock::now() + kPermissionsEvery};
  }
  return footing;
}

bool RedisFoundation::PermissionsAreDue(int64_t connections) {
  MutexLock lock(&mu_);
  const bool due =
      connections != permitted_.connections || std::chrono::steady_clock::now() >= permitted_.until;
  if (due) permitted_ = {};
  return due;
}

Status RedisFoundation::CheckPermissions(RedisConnection& connection) {
  ASSIGN_OR_RETURN(std::vector<std::string> missing, MissingRules(connection, options_.prefix));
  if (missing.empty()) return OkStatus();
  std::string rules;
  for (const std::string& rule : missing) rules += " " + rule;
  const std::string user = options_.address.user.empty() ? "default" : options_.address.user;
  return FailedPrecondition("the user '" + user + "' of Redis at " + ToString(options_.address) +
                            " lacks permissions: ACL SETUSER " + user + rules +
                            ". All that it needs: ACL SETUSER " + user + " " +
                            NeededRules(options_.prefix));
}

StatusOr<std::string> RedisFoundation::Agree(const std::string& fact, const std::string& value) {
  ASSIGN_OR_RETURN(const auto connection, RedisConnection::Connect(options_));
  const std::string key = options_.prefix + "fleet";
  ASSIGN_OR_RETURN(RedisReply reply, connection->Call({"HGET", key, fact}));
  if (reply.is_nil() && !value.empty()) {
    ASSIGN_OR_RETURN(const RedisReply set, connection->Call({"HSETNX", key, fact, value}));
    if (set.kind == RedisReply::Kind::kError) return redis::StatusOfError(set.text);
    ASSIGN_OR_RETURN(reply, connection->Call({"HGET", key, fact}));
  }
  if (reply.kind == RedisReply::Kind::kError) return redis::StatusOfError(reply.text);
  return reply.text;
}

}  // namespace phasor::queue
