#include "bench/upkeep/load.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mutex.h"
#include "common/queue/redis/redis_queue.h"
#include "common/storage/open_store.h"

namespace phasor::bench {
namespace {

constexpr int kBatch = 128;  // jobs of one model, submitted together

class Filler {
 public:
  Filler(const UpkeepLoad& load, const queue::RedisOptions& options,
         std::unique_ptr<storage::ResultStore> store)
      : load_(load), queue_(options), store_(std::move(store)) {
    if (load.deadline_after > 0) {
      deadline_ms_ = SystemClock().WallMillis() + int64_t{1000} * load.deadline_after;
    }
  }

  Status Run() {
    RETURN_IF_ERROR(OnThreads(load_.ended, [this](int first, int count) {
      RETURN_IF_ERROR(Submit("ended", first, count, /*deadline_ms=*/0));
      return Finish(first, count);
    }));
    return OnThreads(load_.live, [this](int first, int count) {
      return Submit("live", first, count, deadline_ms_);
    });
  }

 private:
  // `work(first, count)` for all of `jobs` in batches, on the threads.
  template <typename Work>
  Status OnThreads(int jobs, Work work) {
    std::atomic<int> next = 0;
    Mutex mu;
    Status first_error;
    std::vector<std::thread> pool;
    for (int i = 0; i < load_.threads; ++i) {
      pool.emplace_back([&] {
        for (int first = next += kBatch; first - kBatch < jobs; first = next += kBatch) {
          const int count = std::min(kBatch, jobs - (first - kBatch));
          const Status status = work(first - kBatch, count);
          MutexLock lock(&mu);
          first_error.Update(status);
          if (!first_error.ok()) return;
        }
      });
    }
    for (std::thread& thread : pool) thread.join();
    return first_error;
  }

  std::string ModelOf(int first) const {
    return "model-" + std::to_string(first / kBatch % load_.models);
  }

  Status Submit(const std::string& kind, int first, int count, int64_t deadline_ms) {
    std::vector<queue::SubmitRequest> requests;
    for (int n = first; n < first + count; ++n) {
      queue::SubmitRequest request;
      request.id = job::MakeJobId("bench", kind, std::to_string(n));
      request.model = ModelOf(first);
      request.tenant = "tenant-" + std::to_string(n % load_.tenants);
      request.priority = static_cast<queue::Priority>(n % 4);
      request.fingerprint = Sha256Hex(request.id);
      request.deadline_ms = deadline_ms;
      request.spec =
          std::string(static_cast<size_t>(load_.payload), static_cast<char>('a' + n % 26));
      requests.push_back(std::move(request));
    }
    for (const auto& reply : queue_.SubmitAll(requests)) {
      RETURN_IF_ERROR(reply.status());
      if (reply->outcome == queue::SubmitOutcome::kFull) {
        return ResourceExhausted("the queue is full (" + reply->full + ")");
      }
    }
    return OkStatus();
  }

  // Takes and completes as many jobs of the batch's model.
  Status Finish(int first, int count) {
    queue::TakeRequest take;
    take.worker = "worker-" + std::to_string(first);
    take.models = {ModelOf(first)};
    std::optional<queue::Completion> last;
    for (int n = 0; n <= count; ++n) {
      if (n == count) {
        return last ? queue_.Complete(last->fence, last->result).status() : OkStatus();
      }
      take.nonce = "n" + std::to_string(first + n);
      std::optional<queue::Grant> grant;
      if (last) {
        ASSIGN_OR_RETURN(queue::NextJob next, queue_.CompleteAndTake(*last, take));
        grant = std::move(next.grant);
      } else {
        ASSIGN_OR_RETURN(grant, queue_.Take(take));
      }
      last.reset();
      if (!grant) continue;
      RETURN_IF_ERROR(Record(*grant));
      last = queue::Completion{grant->fence, "jobs/" + grant->fence.id + "/terminal"};
    }
    return OkStatus();
  }

  Status Record(const queue::Grant& grant) {
    if (store_ == nullptr) return OkStatus();
    storage::TerminalRecord record;
    record.id = grant.fence.id;
    record.epoch = grant.fence.epoch;
    record.nonce = grant.fence.nonce;
    record.finished_ms = SystemClock().WallMillis();
    return store_->CreateTerminal(record).status();
  }

  const UpkeepLoad load_;
  queue::RedisQueue queue_;
  const std::unique_ptr<storage::ResultStore> store_;
  int64_t deadline_ms_ = 0;
};

}  // namespace

Status Fill(const UpkeepLoad& load) {
  queue::RedisOptions options;
  ASSIGN_OR_RETURN(options.address, queue::ParseRedisUrl(load.redis));
  std::unique_ptr<storage::ResultStore> store;
  if (!load.store.empty()) {
    ASSIGN_OR_RETURN(store, storage::OpenStore(load.store));
  }
  return Filler(load, options, std::move(store)).Run();
}

}  // namespace phasor::bench
