#include "services/cli/link/gateways.h"

#include "common/rpc/channel.h"

namespace phasor::cli {
namespace {

// A gateway whose machine has vanished is noticed within 4 s, so that another one is asked in 5.
constexpr Millis kPingEvery{2'500};
constexpr Millis kPingTimeout{1'500};

StatusOr<std::shared_ptr<grpc::Channel>> Open(const std::string& address, const Link& link) {
  return rpc::MakeChannel({.address = address,
                           .ping_every = kPingEvery,
                           .ping_timeout = kPingTimeout,
                           .credential = link.credential,
                           .tls = link.tls});
}

}  // namespace

StatusOr<Gateways> Gateways::Make(const Link& link) {
  const size_t count = link.admin_addresses.size();
  if (count != 0 && count != link.addresses.size()) {
    return InvalidArgument("--admin-address: there are " + std::to_string(count) + " for " +
                           std::to_string(link.addresses.size()) + " gateways");
  }
  Gateways gateways;
  for (size_t i = 0; i < link.addresses.size(); ++i) {
    ASSIGN_OR_RETURN(const auto channel, Open(link.addresses[i], link));
    auto admin = channel;
    if (count != 0) {
      ASSIGN_OR_RETURN(admin, Open(link.admin_addresses[i], link));
    }
    gateways.stubs_.emplace_back(v1::Images::NewStub(channel), v1::Models::NewStub(channel),
                                 v1::Admin::NewStub(admin));
  }
  return gateways;
}

}  // namespace phasor::cli
