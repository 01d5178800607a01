#include "services/gateway/flow/cleanup_flow.h"

#include "common/rpc/status_details.h"

namespace phasor::gateway {
namespace {

constexpr Millis kRetryAfter{2'000};

void Add(const storage::SweepReport& report, v1::StoreSweepReport* sum) {
  sum->set_looked(sum->looked() + report.looked);
  sum->set_orphans(sum->orphans() + report.orphans);
  sum->set_checkpoints(sum->checkpoints() + report.checkpoints);
  sum->set_results(sum->results() + report.results);
  sum->set_records(sum->records() + report.records);
  sum->set_unreadable(sum->unreadable() + report.unreadable);
}

}  // namespace

StatusOr<v1::CleanupResponse> CleanupFlow::Run(const std::function<bool()>& gone) {
  {
    MutexLock lock(&mu_);
    if (running_) {
      return rpc::WithRetryAfter(Unavailable("a cleanup is in progress already"), kRetryAfter);
    }
    running_ = true;
  }
  auto answer = Walk(gone);
  MutexLock lock(&mu_);
  running_ = false;
  return answer;
}

StatusOr<v1::CleanupResponse> CleanupFlow::Walk(const std::function<bool()>& gone) {
  StoreSweep sweep(parts_, policy_);
  v1::CleanupResponse response;
  for (bool over = false; !over;) {
    const storage::SweepReport report = sweep.Tick();
    RETURN_IF_ERROR(report.status);
    Add(report, response.mutable_store());
    over = report.round_over;
    if (!over && gone()) return Cancelled("the caller went away during the cleanup");
  }
  return response;
}

}  // namespace phasor::gateway
