// One blocking connection to a Redis. Not thread-safe: one thread uses it. After any error it is
// broken for good: drop it and connect anew, because replies may still be under way. A host's name
// is looked up for each connection, so that one that was pointed elsewhere leads there.
// Errors: UNAVAILABLE with a sentence that names the address, never the password.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/redis/name_lookup.h"
#include "common/redis/redis_login.h"
#include "common/redis/redis_reply.h"
#include "common/redis/redis_url.h"
#include "common/redis/wire.h"
#include "common/tls/client_context.h"

struct redisReader;

namespace phasor::redis {

struct RedisOptions {
  RedisAddress address;
  Millis connect_timeout{1'000};     // the lookup of the host's name included
  Millis command_timeout{2'000};     // for each wait on the socket
  std::string prefix = "{phasor}:";  // of all keys; the braces keep them in one cluster slot
  std::shared_ptr<NameLookup> names = std::make_shared<NameLookup>();  // copies share it
  LoginFiles login = {};
  std::shared_ptr<tls::ClientContext> tls = {};  // of an address with TLS
};

// A command in the wire format, made on the caller's thread.
std::string FormatCommand(const std::vector<std::string_view>& arguments);
// The arguments alone; a command is "*<how many>\r\n" and then these.
std::string FormatArguments(const std::vector<std::string_view>& arguments);

class RedisConnection {
 public:
  // Connects, to the master that Sentinels name if the address has some, authenticates and selects
  // the database. FAILED_PRECONDITION: Redis answers, and
  // refuses the user, the password or the database for good.
  static StatusOr<std::unique_ptr<RedisConnection>> Connect(const RedisOptions& options);
  ~RedisConnection();

  // Queues a formatted command; Read sends what is queued.
  Status Append(const std::string& command);
  // The next reply, error replies included.
  StatusOr<RedisReply> Read();
  StatusOr<RedisReply> Call(const std::vector<std::string_view>& arguments);
  // Sends what is queued and waits for a reply for at most `timeout` or until `wake` (a
  // descriptor, -1: none) is readable; nullopt then. Looks once, however short the time.
  StatusOr<std::optional<RedisReply>> ReadWithin(Millis timeout, int wake);
  // A reply that has come together with another one; nullopt: there is none.
  StatusOr<std::optional<RedisReply>> ReadBuffered();
  // When bytes last came.
  SteadyTime heard() const { return heard_; }
  // The status of a connection that has been silent for the command timeout.
  Status Silent() const;
  // While no reply is due: true if the server has closed the connection.
  bool IsClosedByServer() { return wire_->IsClosed(); }

 private:
  struct ReaderDeleter {
    void operator()(redisReader* reader) const;
  };
  RedisConnection(RedisOptions options, std::unique_ptr<Wire> wire);
  static StatusOr<std::unique_ptr<RedisConnection>> ConnectThere(const RedisOptions& options);
  Status Broken(const std::string& what, const Status& why) const;
  Status Introduce();
  // Sends all that is queued, waiting as often as needed.
  Status Flush();
  // What has come, if anything has, goes to the reader.
  StatusOr<size_t> Fill();

  const RedisOptions options_;
  const std::unique_ptr<Wire> wire_;
  const std::unique_ptr<redisReader, ReaderDeleter> reader_;
  std::string queued_;
  SteadyTime heard_{};
};

}  // namespace phasor::redis
