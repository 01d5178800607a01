#include "common/redis/sentinel.h"

#include <cstdlib>
#include <string>
#include <utility>

namespace phasor::redis {
namespace {

constexpr int kMostPort = 65'535;

bool IsError(const RedisReply& reply, std::string_view code) {
  return reply.kind == RedisReply::Kind::kError && reply.text.starts_with(code);
}

// As Redis itself is logged in to, where the Sentinel wants to know; most don't.
StatusOr<RedisReply> Ask(RedisConnection& sentinel, const RedisOptions& options) {
  const std::vector<std::string_view> question = {"SENTINEL", "get-master-addr-by-name",
                                                  options.address.master};
  ASSIGN_OR_RETURN(RedisReply reply, sentinel.Call(question));
  if (!IsError(reply, "NOAUTH")) return reply;
  ASSIGN_OR_RETURN(const Login login, ReadLogin(options.address, options.login));
  std::vector<std::string_view> auth = {"AUTH"};
  if (!login.user.empty()) auth.emplace_back(login.user);
  auth.emplace_back(login.password);
  ASSIGN_OR_RETURN(reply, sentinel.Call(auth));
  if (reply.kind == RedisReply::Kind::kError) return reply;
  return sentinel.Call(question);
}

// Of one Sentinel: the master's address.
StatusOr<RedisAddress> AskOne(const RedisAddress::Sentinel& where, const RedisOptions& options) {
  RedisOptions there = options;
  there.address = {};
  there.address.host = where.host;
  there.address.port = where.port;
  there.address.tls = options.address.tls;
  there.login = {};
  ASSIGN_OR_RETURN(const auto sentinel, RedisConnection::Connect(there));
  ASSIGN_OR_RETURN(const RedisReply reply, Ask(*sentinel, options));
  const std::string name = ToString(there.address);
  if (reply.kind == RedisReply::Kind::kError) {
    return Unavailable("the Sentinel at " + name + " says " + reply.text);
  }
  if (reply.list.size() != 2) {
    return Unavailable("the Sentinel at " + name + " knows no master '" + options.address.master +
                       "'");
  }
  RedisAddress master = options.address;
  master.sentinels.clear();
  master.host = reply.list[0].text;
  master.port = std::atoi(reply.list[1].text.c_str());
  if (master.host.empty() || master.port < 1 || master.port > kMostPort) {
    return Unavailable("the Sentinel at " + name + " names a master without an address");
  }
  return master;
}

}  // namespace

StatusOr<RedisAddress> FindMaster(const RedisOptions& options) {
  std::string why;
  for (const RedisAddress::Sentinel& sentinel : options.address.sentinels) {
    StatusOr<RedisAddress> master = AskOne(sentinel, options);
    if (master.ok()) return master;
    if (!why.empty()) why += "; ";
    why += Message(master.status());
  }
  return Unavailable("no Sentinel tells where Redis is: " + why);
}

Status CheckIsMaster(RedisConnection& connection) {
  ASSIGN_OR_RETURN(const RedisReply role, connection.Call({"ROLE"}));
  if (role.kind == RedisReply::Kind::kError) return OkStatus();
  if (!role.list.empty() && role.list[0].text == "master") return OkStatus();
  return Unavailable("it is no master (any more); Sentinels will know in a moment");
}

}  // namespace phasor::redis
