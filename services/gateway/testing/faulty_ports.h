// Queue and store that fail as a test wishes, in front of real ones in memory: the next calls get a
// status and nothing happens, or everything happens and only the answer is lost. Thread-safe.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"

namespace phasor::gateway {

// What calls get while it is set.
class Fault {
 public:
  void Set(const Status& status, bool after_the_deed = false) {
    MutexLock lock(&mu_);
    status_ = status;
    after_ = after_the_deed;
  }
  void Clear() { Set(OkStatus()); }

  template <typename Call>
  auto Pass(Call call) -> decltype(call()) {
    Status status;
    bool after = false;
    {
      MutexLock lock(&mu_);
      status = status_;
      after = after_;
    }
    if (status.ok()) return call();
    if (after) (void)call();
    return status;
  }

 private:
  Mutex mu_;
  Status status_ GUARDED_BY(mu_);
  bool after_ GUARDED_BY(mu_) = false;
};

class FaultyQueue final : public queue::Producer, public queue::Maintenance, public queue::Control {
 public:
  template <typename Queue>
  explicit FaultyQueue(Queue* queue) : producer_(queue), maintenance_(queue), control_(queue) {}

  Fault fault;
  std::atomic<bool> spares_questions = false;  // submits that only ask

  StatusOr<queue::SubmitReply> Submit(const queue::SubmitRequest& request) override {
    if (spares_questions && request.unless_forgotten) return producer_->Submit(request);
    return fault.Pass([&] { return producer_->Submit(request); });
  }
  StatusOr<queue::State> Cancel(const job::JobId& id, const job::Caller& caller) override {
    return fault.Pass([&] { return producer_->Cancel(id, caller); });
  }
  StatusOr<queue::JobView> Get(const job::JobId& id, const job::Caller& caller) override {
    return fault.Pass([&] { return producer_->Get(id, caller); });
  }
  StatusOr<queue::ListReply> List(const queue::ListRequest& request) override {
    return fault.Pass([&] { return producer_->List(request); });
  }
  StatusOr<queue::RedriveReply> Redrive(const job::JobId& id, const job::Caller& caller) override {
    return fault.Pass([&] { return producer_->Redrive(id, caller); });
  }
  StatusOr<int> Recover(int limit) override {
    return fault.Pass([&] { return maintenance_->Recover(limit); });
  }
  StatusOr<std::vector<queue::SealRequest>> PendingSeals(int limit) override {
    return fault.Pass([&] { return maintenance_->PendingSeals(limit); });
  }
  Status Adopt(const job::JobId& id, queue::State state, const std::string& result) override {
    return fault.Pass([&] { return maintenance_->Adopt(id, state, result); });
  }
  StatusOr<queue::QueueStats> Stats() override {
    return fault.Pass([&] { return maintenance_->Stats(); });
  }
  StatusOr<queue::AuditReport> Audit(const std::string& cursor, int limit) override {
    return fault.Pass([&] { return maintenance_->Audit(cursor, limit); });
  }
  StatusOr<std::vector<queue::Preemption>> Preempt(int limit) override {
    return fault.Pass([&] { return maintenance_->Preempt(limit); });
  }
  StatusOr<int> Forget(int limit) override {
    return fault.Pass([&] { return maintenance_->Forget(limit); });
  }
  Status SetLimits(const queue::QueueLimits& limits) override {
    return fault.Pass([&] { return control_->SetLimits(limits); });
  }
  StatusOr<queue::QueueLimits> Limits() override {
    return fault.Pass([&] { return control_->Limits(); });
  }
  Status SetTenantLimits(const std::string& tenant, const queue::TenantLimits& limits) override {
    return fault.Pass([&] { return control_->SetTenantLimits(tenant, limits); });
  }
  Status SetPaused(bool paused) override {
    return fault.Pass([&] { return control_->SetPaused(paused); });
  }

 private:
  queue::Producer* const producer_;
  queue::Maintenance* const maintenance_;
  queue::Control* const control_;
};

class FaultyStore : public storage::ResultStore {
 public:
  explicit FaultyStore(storage::ResultStore* store) : store_(store) {}

  Fault fault;

  Status Put(const std::string& key, std::string_view bytes) override {
    return fault.Pass([&] { return store_->Put(key, bytes); });
  }
  StatusOr<std::string> Get(const std::string& key) override {
    return fault.Pass([&] { return store_->Get(key); });
  }
  Status Delete(const std::string& key) override {
    return fault.Pass([&] { return store_->Delete(key); });
  }
  StatusOr<storage::ListPage> List(const std::string& prefix, const std::string& cursor,
                                   int limit) override {
    return fault.Pass([&] { return store_->List(prefix, cursor, limit); });
  }
  StatusOr<storage::TerminalRecord> CreateTerminal(const storage::TerminalRecord& record) override {
    return fault.Pass([&] { return store_->CreateTerminal(record); });
  }
  std::vector<StatusOr<storage::TerminalRecord>> ReadTerminals(
      const std::vector<job::JobId>& ids) override {
    std::vector<StatusOr<storage::TerminalRecord>> records;
    for (const job::JobId& id : ids) {
      records.push_back(fault.Pass([&] { return store_->ReadTerminal(id); }));
    }
    return records;
  }
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override {
    return fault.Pass([&] { return store_->CreateOnce(key, bytes); });
  }

 private:
  storage::ResultStore* const store_;
};

}  // namespace phasor::gateway
