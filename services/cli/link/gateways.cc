#include "services/cli/link/gateways.h"

#include "common/rpc/channel.h"

namespace phasor::cli {
namespace {

// A gateway whose machine has vanished is noticed within 4 s, so that another one is asked in 5.
constexpr Millis kPingEvery{2'500};
constexpr Millis kPingTimeout{1'500};

}  // namespace

StatusOr<Gateways> Gateways::Make(const std::vector<std::string>& addresses) {
  Gateways gateways;
  for (const std::string& address : addresses) {
    ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel({.address = address,
                                                           .ping_every = kPingEvery,
                                                           .ping_timeout = kPingTimeout}));
    gateways.stubs_.emplace_back(v1::Images::NewStub(channel), v1::Models::NewStub(channel),
                                 v1::Admin::NewStub(channel));
  }
  return gateways;
}

}  // namespace phasor::cli
