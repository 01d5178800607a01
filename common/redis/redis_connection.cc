#include "common/redis/redis_connection.h"

#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace phasor::redis {
namespace {

timeval ToTimeval(Millis time) {
  return {static_cast<time_t>(time.count() / 1000),
          static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

// hiredis writes without MSG_NOSIGNAL: a closed connection would end the process.
void IgnoreBrokenPipes() {
  struct sigaction action {};
  if (::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
}

// Connects to the first of the host's addresses that answers; all of it within the time limit.
StatusOr<redisContext*> Reach(const RedisOptions& options) {
  const RedisAddress& address = options.address;
  const Millis limit = options.connect_timeout;
  if (!address.socket.empty()) {
    return redisConnectUnixWithTimeout(address.socket.c_str(), ToTimeval(limit));
  }
  const SteadyTime end = std::chrono::steady_clock::now() + limit;
  ASSIGN_OR_RETURN(const auto hosts, options.names->Find(address.host, limit));
  redisContext* context = nullptr;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const auto left = std::chrono::duration_cast<Millis>(end - std::chrono::steady_clock::now());
    const Millis share = std::max(left / static_cast<int64_t>(hosts.size() - i), Millis(1));
    if (context != nullptr) redisFree(context);
    context = redisConnectWithTimeout(hosts[i].c_str(), address.port, ToTimeval(share));
    if (context != nullptr && context->err == 0) break;
  }
  return context;
}

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

void RedisConnection::ContextDeleter::operator()(redisContext* context) const {
  redisFree(context);
}

RedisConnection::RedisConnection(RedisOptions options, redisContext* context)
    : options_(std::move(options)), context_(context) {}

RedisConnection::~RedisConnection() = default;

StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Connect(const RedisOptions& options) {
  IgnoreBrokenPipes();
  const RedisAddress& address = options.address;
  const auto reached = Reach(options);
  if (!reached.ok()) {
    return Annotate(reached.status(), "cannot reach Redis at " + ToString(address));
  }
  redisContext* const context = *reached;
  if (context == nullptr) return Unavailable("no memory for a connection to Redis");
  std::unique_ptr<RedisConnection> connection(new RedisConnection(options, context));
  if (context->err != 0) {
    return Unavailable("cannot reach Redis at " + ToString(address) + ": " + context->errstr +
                       ". Is redis-server running there?");
  }
  if (address.socket.empty()) redisEnableKeepAlive(context);
  redisSetTimeout(context, ToTimeval(options.command_timeout));
  RETURN_IF_ERROR(connection->Introduce());
  return connection;
}

Status RedisConnection::Introduce() {
  const RedisAddress& address = options_.address;
  std::vector<std::vector<std::string_view>> commands;
  const std::string database = std::to_string(address.database);
  if (!address.password.empty() && address.user.empty()) {
    commands.push_back({"AUTH", address.password});
  } else if (!address.password.empty()) {
    commands.push_back({"AUTH", address.user, address.password});
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

Status RedisConnection::Broken(const std::string& what) const {
  if (context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK)) return Silent();
  return Unavailable(what + " Redis at " + ToString(options_.address) + ": " + context_->errstr);
}

Status RedisConnection::Silent() const {
  return Unavailable("lost the connection to Redis at " + ToString(options_.address) +
                     ": no answer within " + std::to_string(options_.command_timeout.count()) +
                     " ms");
}

Status RedisConnection::Append(const std::string& command) {
  if (redisAppendFormattedCommand(context_.get(), command.data(), command.size()) == REDIS_OK) {
    return OkStatus();
  }
  return Broken("cannot send to");
}

StatusOr<RedisReply> RedisConnection::Read() {
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK) return Broken("lost the connection to");
  const ReplyPtr reply(static_cast<redisReply*>(raw));
  return CopyReply(*reply);
}

StatusOr<RedisReply> RedisConnection::Call(const std::vector<std::string_view>& arguments) {
  RETURN_IF_ERROR(Append(FormatCommand(arguments)));
  return Read();
}

StatusOr<std::optional<RedisReply>> RedisConnection::ReadWithin(Millis timeout, int wake) {
  int sent = 0;
  while (sent == 0) {
    if (redisBufferWrite(context_.get(), &sent) != REDIS_OK) return Broken("cannot send to");
  }
  const SteadyTime end = std::chrono::steady_clock::now() + timeout;
  while (true) {
    ASSIGN_OR_RETURN(std::optional<RedisReply> reply, ReadBuffered());
    if (reply) return reply;

    const auto left = std::chrono::ceil<Millis>(end - std::chrono::steady_clock::now());
    pollfd waited[] = {{context_->fd, POLLIN, 0}, {wake, POLLIN, 0}};
    const int ready = ::poll(waited, 2, static_cast<int>(std::max(left, Millis(0)).count()));
    if (ready < 0 && errno != EINTR) return Broken("cannot wait for");
    if (ready > 0 && waited[1].revents != 0) return std::optional<RedisReply>();
    if (ready > 0) {
      if (redisBufferRead(context_.get()) != REDIS_OK) return Broken("lost the connection to");
      heard_ = std::chrono::steady_clock::now();
    } else if (left.count() <= 0) {
      return std::optional<RedisReply>();
    }
  }
}

StatusOr<std::optional<RedisReply>> RedisConnection::ReadBuffered() {
  void* raw = nullptr;
  if (redisGetReplyFromReader(context_.get(), &raw) != REDIS_OK) return Broken("cannot read from");
  const ReplyPtr reply(static_cast<redisReply*>(raw));
  return reply == nullptr ? std::nullopt : std::optional<RedisReply>(CopyReply(*reply));
}

bool RedisConnection::IsClosedByServer() const {
  pollfd waited{context_->fd, POLLIN, 0};
  return ::poll(&waited, 1, 0) != 0;
}

}  // namespace phasor::redis
