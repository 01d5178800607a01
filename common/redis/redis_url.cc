#include "common/redis/redis_url.h"

#include <cctype>
#include <cstdlib>

#include "common/base/percent.h"

namespace phasor::redis {
namespace {

constexpr char kUnix[] = "unix://";
constexpr char kTcp[] = "redis://";
constexpr char kTls[] = "rediss://";
constexpr char kSentinel[] = "redis-sentinel://";
constexpr char kSentinelTls[] = "rediss-sentinel://";

bool TakePrefix(std::string* text, const std::string& prefix) {
  if (text->compare(0, prefix.size(), prefix) != 0) return false;
  text->erase(0, prefix.size());
  return true;
}

// Splits `text` at the first `separator` from the left; returns what stood behind it.
std::string CutBehind(std::string* text, const std::string& separator) {
  const size_t at = text->find(separator);
  if (at == std::string::npos) return "";
  std::string rest = text->substr(at + separator.size());
  text->resize(at);
  return rest;
}

StatusOr<int> ParseNumber(const std::string& text, const std::string& what, int most) {
  bool digits = !text.empty() && text.size() <= 5;
  for (const unsigned char c : text) digits = digits && std::isdigit(c) != 0;
  const int number = digits ? std::atoi(text.c_str()) : -1;
  if (number < 0 || number > most) {
    return InvalidArgument("Redis URL: " + what + " must be a number up to " +
                           std::to_string(most) + ", got '" + text + "'");
  }
  return number;
}

StatusOr<std::string> Decoded(const std::string& text) {
  auto decoded = PercentDecode(text);
  if (!decoded.ok()) return Annotate(decoded.status(), "Redis URL");
  return decoded;
}

StatusOr<RedisAddress> ParseUnix(std::string rest) {
  RedisAddress address;
  const std::string query = CutBehind(&rest, "?");
  if (!query.empty()) {
    if (query.compare(0, 3, "db=") != 0) return InvalidArgument("Redis URL: only ?db=N is known");
    ASSIGN_OR_RETURN(address.database, ParseNumber(query.substr(3), "db", 99'999));
  }
  ASSIGN_OR_RETURN(rest, Decoded(rest));
  if (rest.empty() || rest.front() != '/') {
    return InvalidArgument(
        "Redis URL: unix:// needs an absolute path, as in unix:///run/redis.sock");
  }
  if (rest.size() > 107) {
    return InvalidArgument("Redis URL: the path of a unix socket has at most 107 bytes, got " +
                           std::to_string(rest.size()));
  }
  address.socket = rest;
  return address;
}

Status ParseCredentials(std::string credentials, RedisAddress* address) {
  const size_t colon = credentials.find(':');
  if (colon == std::string::npos) return InvalidArgument("Redis URL: expected [user]:password@");
  ASSIGN_OR_RETURN(address->user, Decoded(credentials.substr(0, colon)));
  ASSIGN_OR_RETURN(address->password, Decoded(credentials.substr(colon + 1)));
  return OkStatus();
}

// "host", "host:port" or "[::1]:port"; the port stays as it is where none is named.
Status ParseHost(std::string text, std::string* host, int* number) {
  std::string port;
  if (!text.empty() && text.front() == '[') {  // an IPv6 address
    const std::string behind = CutBehind(&text, "]");
    text.erase(0, 1);
    if (!behind.empty() && behind.front() == ':') port = behind.substr(1);
  } else {
    port = CutBehind(&text, ":");
  }
  if (!port.empty()) {
    ASSIGN_OR_RETURN(*number, ParseNumber(port, "port", 65'535));
  }
  if (text.empty()) return InvalidArgument("Redis URL: no host");
  *host = text;
  return OkStatus();
}

// What stands before the hosts and behind them; leaves these.
Status TakeAround(std::string* rest, RedisAddress* address) {
  if (const size_t at = rest->rfind('@'); at != std::string::npos) {
    RETURN_IF_ERROR(ParseCredentials(rest->substr(0, at), address));
    rest->erase(0, at + 1);
  }
  const std::string database = CutBehind(rest, "/");
  if (!database.empty()) {
    ASSIGN_OR_RETURN(address->database, ParseNumber(database, "database", 99'999));
  }
  return OkStatus();
}

StatusOr<RedisAddress> ParseTcp(std::string rest) {
  RedisAddress address;
  RETURN_IF_ERROR(TakeAround(&rest, &address));
  RETURN_IF_ERROR(ParseHost(rest, &address.host, &address.port));
  return address;
}

StatusOr<RedisAddress> ParseSentinels(std::string rest) {
  constexpr char kWanted[] =
      "Redis URL: Sentinels need the master's name, as in "
      "redis-sentinel://one,two:26380?master=mymaster";
  RedisAddress address;
  const size_t question = rest.rfind('?');
  if (question == std::string::npos) return InvalidArgument(kWanted);
  std::string query = rest.substr(question + 1);
  rest.resize(question);
  if (!TakePrefix(&query, "master=") || query.empty()) return InvalidArgument(kWanted);
  ASSIGN_OR_RETURN(address.master, Decoded(query));
  RETURN_IF_ERROR(TakeAround(&rest, &address));
  while (true) {
    const std::string others = CutBehind(&rest, ",");
    RedisAddress::Sentinel& sentinel = address.sentinels.emplace_back();
    RETURN_IF_ERROR(ParseHost(rest, &sentinel.host, &sentinel.port));
    if (others.empty()) return address;
    rest = others;
  }
}

}  // namespace

StatusOr<RedisAddress> ParseRedisUrl(const std::string& url) {
  std::string rest = url;
  if (TakePrefix(&rest, kUnix)) return ParseUnix(rest);
  if (TakePrefix(&rest, kTcp)) return ParseTcp(rest);
  if (TakePrefix(&rest, kSentinel)) return ParseSentinels(rest);
  const bool sentinels = TakePrefix(&rest, kSentinelTls);
  if (sentinels || TakePrefix(&rest, kTls)) {
    ASSIGN_OR_RETURN(RedisAddress address, sentinels ? ParseSentinels(rest) : ParseTcp(rest));
    address.tls = true;
    return address;
  }
  return InvalidArgument(
      "Redis URL must begin with unix://, redis://, rediss://, redis-sentinel:// or "
      "rediss-sentinel://");
}

std::string ToString(const RedisAddress& address) {
  if (!address.socket.empty()) return "unix://" + address.socket;
  if (!address.sentinels.empty()) {
    std::string text = "master " + address.master + " of";
    for (const RedisAddress::Sentinel& sentinel : address.sentinels) {
      text.append(" ").append(sentinel.host).append(":").append(std::to_string(sentinel.port));
    }
    return text;
  }
  return address.host + ":" + std::to_string(address.port);
}

}  // namespace phasor::redis
