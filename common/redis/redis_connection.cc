#include "common/redis/redis_connection.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/redis/sentinel.h"
#include "common/tls/handshake_probe.h"

namespace phasor::redis {
namespace {

constexpr size_t kRead = 64 << 10;

// TLS writes without MSG_NOSIGNAL: a closed connection would end the process.
void IgnoreBrokenPipes() {
  struct sigaction action {};
  if (::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
}

SteadyTime In(Millis time) { return std::chrono::steady_clock::now() + time; }

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using ReplyPtr = std::unique_ptr<redisReply, ReplyDeleter>;

}  // namespace

std::string FormatCommand(const std::vector<std::string_view>& arguments) {
  return "*" + std::to_string(arguments.size()) + "\r\n" + FormatArguments(arguments);
}

std::string FormatArguments(const std::vector<std::string_view>& arguments) {
  std::string bytes;
  for (const std::string_view argument : arguments) {
    bytes += "$" + std::to_string(argument.size()) + "\r\n";
    bytes.append(argument);
    bytes += "\r\n";
  }
  return bytes;
}

void RedisConnection::ReaderDeleter::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

RedisConnection::RedisConnection(RedisOptions options, std::unique_ptr<Wire> wire)
    : options_(std::move(options)), wire_(std::move(wire)), reader_(redisReaderCreate()) {}

RedisConnection::~RedisConnection() = default;

StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Connect(const RedisOptions& options) {
  if (options.address.sentinels.empty()) return ConnectThere(options);
  RedisOptions master = options;
  ASSIGN_OR_RETURN(master.address, FindMaster(options));
  ASSIGN_OR_RETURN(auto connection, ConnectThere(master));
  const Status is_master = CheckIsMaster(*connection);
  if (!is_master.ok()) return Annotate(is_master, "Redis at " + ToString(master.address));
  return connection;
}

StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::ConnectThere(
    const RedisOptions& options) {
  IgnoreBrokenPipes();
  const std::string where = "cannot reach Redis at " + ToString(options.address);
  auto wire = Wire::Connect(options.address, *options.names, options.tls.get(),
                            In(options.connect_timeout));
  if (wire.status().code() == StatusCode::kFailedPrecondition) {
    return Annotate(wire.status(), where);
  }
  if (!wire.ok()) {
    return Unavailable(where + ": " + Message(wire.status()) + ". Is redis-server running there?");
  }
  std::unique_ptr<RedisConnection> connection(new RedisConnection(options, *std::move(wire)));
  if (connection->reader_ == nullptr) return Unavailable("no memory for a connection to Redis");
  RETURN_IF_ERROR(connection->Introduce());
  return connection;
}

Status RedisConnection::Introduce() {
  const RedisAddress& address = options_.address;
  std::vector<std::vector<std::string_view>> commands;
  const std::string database = std::to_string(address.database);
  ASSIGN_OR_RETURN(const Login login, ReadLogin(address, options_.login));
  if (!login.password.empty() && login.user.empty()) {
    commands.push_back({"AUTH", login.password});
  } else if (!login.password.empty()) {
    commands.push_back({"AUTH", login.user, login.password});
  }
  if (address.database != 0) commands.push_back({"SELECT", database});
  for (const auto& command : commands) {
    ASSIGN_OR_RETURN(const RedisReply reply, Call(command));
    if (reply.kind == RedisReply::Kind::kError) {
      const Status status = StatusOfError(reply.text);
      const std::string sentence = ToString(address) + ": " + Message(status);
      return PassesByItself(reply) ? Unavailable(sentence) : FailedPrecondition(sentence);
    }
  }
  return OkStatus();
}

Status RedisConnection::Broken(const std::string& what, const Status& why) const {
  const std::string where = ToString(options_.address);
  const std::string sentence = what + " Redis at " + where + ": " + Message(why);
  const bool never_heard = heard_ == SteadyTime();
  if (!never_heard || options_.address.tls || !options_.address.socket.empty()) {
    return Unavailable(sentence);
  }
  // A port that expects TLS hangs up on plain text without a word.
  const tls::Peer peer{.address = where, .tls = false};
  const Status explained = tls::ExplainFailure(peer, {}, options_.connect_timeout);
  if (explained.ok()) return Unavailable(sentence);
  return Unavailable(sentence + "; " + Message(explained) + ", which is rediss://");
}

Status RedisConnection::Silent() const {
  return Unavailable("lost the connection to Redis at " + ToString(options_.address) +
                     ": no answer within " + std::to_string(options_.command_timeout.count()) +
                     " ms");
}

Status RedisConnection::Append(const std::string& command) {
  queued_ += command;
  return OkStatus();
}

Status RedisConnection::Flush() {
  size_t sent = 0;
  while (sent < queued_.size()) {
    const auto more = wire_->Send(std::string_view(queued_).substr(sent));
    if (!more.ok()) return Broken("cannot send to", more.status());
    sent += *more;
    if (*more > 0) continue;
    const auto woken = wire_->Wait(In(options_.command_timeout), -1);
    if (!woken.ok()) return Broken("cannot wait for", woken.status());
    if (*woken == Wire::Woken::kTimeout) return Silent();
  }
  queued_.clear();
  return OkStatus();
}

StatusOr<size_t> RedisConnection::Fill() {
  char bytes[kRead];
  const auto got = wire_->Receive(bytes, sizeof(bytes));
  if (!got.ok()) return Broken("lost the connection to", got.status());
  if (*got > 0) heard_ = std::chrono::steady_clock::now();
  if (*got > 0 && redisReaderFeed(reader_.get(), bytes, *got) != REDIS_OK) {
    return Broken("cannot read from", Unavailable(reader_->errstr));
  }
  return *got;
}

StatusOr<RedisReply> RedisConnection::Read() {
  RETURN_IF_ERROR(Flush());
  while (true) {
    ASSIGN_OR_RETURN(std::optional<RedisReply> reply, ReadBuffered());
    if (reply) return *std::move(reply);
    ASSIGN_OR_RETURN(const size_t got, Fill());
    if (got > 0) continue;
    const auto woken = wire_->Wait(In(options_.command_timeout), -1);
    if (!woken.ok()) return Broken("cannot wait for", woken.status());
    if (*woken == Wire::Woken::kTimeout) return Silent();
  }
}

StatusOr<RedisReply> RedisConnection::Call(const std::vector<std::string_view>& arguments) {
  RETURN_IF_ERROR(Append(FormatCommand(arguments)));
  return Read();
}

StatusOr<std::optional<RedisReply>> RedisConnection::ReadWithin(Millis timeout, int wake) {
  RETURN_IF_ERROR(Flush());
  const SteadyTime end = In(timeout);
  while (true) {
    ASSIGN_OR_RETURN(std::optional<RedisReply> reply, ReadBuffered());
    if (reply) return reply;
    ASSIGN_OR_RETURN(const size_t got, Fill());
    if (got > 0) continue;
    const auto woken = wire_->Wait(end, wake);
    if (!woken.ok()) return Broken("cannot wait for", woken.status());
    if (*woken != Wire::Woken::kReady) return std::optional<RedisReply>();
  }
}

StatusOr<std::optional<RedisReply>> RedisConnection::ReadBuffered() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
    return Broken("cannot read from", Unavailable(reader_->errstr));
  }
  const ReplyPtr reply(static_cast<redisReply*>(raw));
  return reply == nullptr ? std::nullopt : std::optional<RedisReply>(CopyReply(*reply));
}

}  // namespace phasor::redis
