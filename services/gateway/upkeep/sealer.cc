#include "services/gateway/upkeep/sealer.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "common/base/mutex.h"
#include "common/log/log.h"
#include "common/rpc/result_convert.h"
#include "common/rpc/spec_convert.h"

namespace phasor::gateway {
namespace {

constexpr int kBatch = 64;
constexpr size_t kThreads = 8;     // a record takes its time, in a store that is far away above all
constexpr Millis kOfATick{3'000};  // then others of the process's loops may have to stop

}  // namespace

Sealer::Sealer(queue::Maintenance* maintenance, queue::Producer* producer,
               storage::ResultStore* store, const Clock* clock)
    : maintenance_(maintenance), producer_(producer), store_(store), clock_(clock) {}

Status Sealer::Tick() {
  const SteadyTime end = clock_->Steady() + kOfATick;
  do {
    ASSIGN_OR_RETURN(const auto pending, maintenance_->PendingSeals(kBatch));
    RETURN_IF_ERROR(SealAll(pending));
    if (pending.size() < kBatch) break;
  } while (clock_->Steady() < end);
  return OkStatus();
}

Status Sealer::SealAll(const std::vector<queue::SealRequest>& requests) {
  std::atomic<size_t> next = 0;
  Mutex mu;
  Status first_error;
  const auto work = [&] {
    for (size_t i = next++; i < requests.size(); i = next++) {
      // One job that can't be sealed must not keep the others waiting.
      const Status status = Seal(requests[i]);
      MutexLock lock(&mu);
      first_error.Update(status);
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(kThreads, requests.size()); ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  return first_error;
}

Status Sealer::Describe(storage::TerminalRecord* record) {
  const auto view = producer_->Get(record->id, job::Operator());
  if (view.status().code() == StatusCode::kNotFound) return OkStatus();
  RETURN_IF_ERROR(view.status());
  record->tenant = view->tenant;
  record->model = view->model;
  record->accepted_ms = view->enqueued_ms;
  record->started_ms = view->started_ms;
  record->details = rpc::EncodeDetails({}, rpc::FingerprintOf(view->spec));
  return OkStatus();
}

Status Sealer::Seal(const queue::SealRequest& request) {
  storage::TerminalRecord record;
  record.id = request.id;
  record.state = request.want;
  record.reason = request.reason;
  record.code = request.code;
  record.epoch = request.epoch;
  record.finished_ms = clock_->WallMillis();
  RETURN_IF_ERROR(Describe(&record));
  ASSIGN_OR_RETURN(const storage::TerminalRecord standing, store_->CreateTerminal(record));
  const Status adopted =
      maintenance_->Adopt(request.id, standing.state, storage::TerminalKey(request.id));
  if (!adopted.ok() && adopted.code() != StatusCode::kNotFound) return adopted;
  log::Info("job sealed", {{"job_id", request.id},
                           {"state", std::string(job::ToString(standing.state))},
                           {"code", standing.code}});
  return OkStatus();
}

}  // namespace phasor::gateway
