// The gateways of one fleet as a client sees them. They are all alike and keep no state, so a
// client talks to one of them until it is away and then to the next. Channels connect at their
// first call. One thread.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/status.h"
#include "common/rpc/client_tls.h"
#include "common/rpc/credential.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "phasor/v1/images.grpc.pb.h"
#include "phasor/v1/models.grpc.pb.h"

namespace phasor::cli {

// The way to the gateways.
struct Link {
  std::vector<std::string> addresses;  // not empty
  // Where they serve operators, in the same order; empty: at the same addresses.
  std::vector<std::string> admin_addresses = {};
  rpc::ClientTls tls = {};
  std::shared_ptr<rpc::Credential> credential = {};  // null: calls carry none
  std::string trace_parent = {};  // W3C's, goes with every call; empty: none does
};

class Gateways {
 public:
  // INVALID_ARGUMENT: an address is malformed.
  static StatusOr<Gateways> Make(const Link& link);

  size_t size() const { return stubs_.size(); }

  // Of the gateway in use; valid as long as this object.
  template <typename Stub>
  Stub& stub() const {
    return *std::get<std::unique_ptr<Stub>>(stubs_[current_]);
  }

  // The next calls go to the next gateway, after the last to the first.
  void GoOn() { current_ = (current_ + 1) % stubs_.size(); }

 private:
  using Stubs = std::tuple<std::unique_ptr<v1::Images::Stub>, std::unique_ptr<v1::Models::Stub>,
                           std::unique_ptr<v1::Admin::Stub>>;

  std::vector<Stubs> stubs_;
  size_t current_ = 0;
};

}  // namespace phasor::cli
