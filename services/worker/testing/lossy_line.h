// A line to the queue on which the next few requests or replies of takes and completions are lost,
// and which notes those calls. One thread; the queue below outlives it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/queue/queue.h"

namespace phasor::worker {

class LossyLine : public queue::Consumer {
 public:
  explicit LossyLine(queue::Consumer& below) : below_(below) {}

  StatusOr<std::optional<queue::Grant>> Take(const queue::TakeRequest& request) override {
    nonces.push_back(request.nonce);
    return Through("take", [&] { return below_.Take(request); });
  }
  StatusOr<queue::NextJob> CompleteAndTake(const queue::Completion& done,
                                           const queue::TakeRequest& request) override {
    nonces.push_back(request.nonce);
    return Through("complete and take", [&] { return below_.CompleteAndTake(done, request); });
  }
  StatusOr<queue::OwnerAnswer> Complete(const queue::Fence& fence,
                                        const std::string& result) override {
    return Through("complete", [&] { return below_.Complete(fence, result); });
  }
  void WaitForWork(Millis timeout) override { below_.WaitForWork(timeout); }
  StatusOr<queue::OwnerAnswer> Renew(const queue::RenewRequest& request) override {
    if (cut) return Unavailable("the line is cut");
    return below_.Renew(request);
  }
  StatusOr<queue::FailOutcome> Fail(const queue::Failure& failure) override {
    return below_.Fail(failure);
  }
  StatusOr<queue::OwnerAnswer> Release(const queue::Fence& fence, const std::string& checkpoint,
                                       int step) override {
    return below_.Release(fence, checkpoint, step);
  }

  bool cut = false;  // for renewals
  int lost_replies = 0;
  int lost_requests = 0;
  std::function<void()> on_loss;  // of a reply
  std::vector<std::string> calls;
  std::vector<std::string> nonces;  // of the takes

 private:
  template <typename Call>
  auto Through(const std::string& name, const Call& call) -> decltype(call()) {
    calls.push_back(name);
    if (lost_requests > 0) {
      --lost_requests;
      return Unavailable("the request was lost");
    }
    auto answer = call();
    if (lost_replies == 0) return answer;
    --lost_replies;
    if (on_loss) on_loss();
    return Unavailable("the reply was lost");
  }

  queue::Consumer& below_;
};

}  // namespace phasor::worker
