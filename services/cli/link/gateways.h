// The gateways of one fleet as a client sees them. They are all alike and keep no state, so a
// client talks to one of them until it is away and then to the next. Channels connect at their
// first call. One thread.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/status.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "phasor/v1/images.grpc.pb.h"
#include "phasor/v1/models.grpc.pb.h"

namespace phasor::cli {

class Gateways {
 public:
  // `addresses` is not empty. INVALID_ARGUMENT: one of them is malformed.
  static StatusOr<Gateways> Make(const std::vector<std::string>& addresses);

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
