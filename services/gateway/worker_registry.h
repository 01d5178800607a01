// The workers whose report streams end at this gateway: what each said last, and a way to send it
// commands. Thread-safe; never blocks. `send` is called without a lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/queue/types.h"
#include "phasor/v1/admin.pb.h"
#include "phasor/v1/worker.pb.h"

namespace phasor::gateway {

class WorkerRegistry {
 public:
  using Send = std::function<void(const v1::GatewayMessage&)>;
  using Ticket = int64_t;  // one connection

  // A worker that connects again before its old stream has ended takes the old one's place.
  Ticket Connect(const v1::Hello& hello, Send send);
  void Disconnect(Ticket ticket);

  void OnStats(Ticket ticket, const v1::WorkerStats& stats);
  void OnProgress(Ticket ticket, const v1::JobProgress& progress);
  // Tells the worker that holds a canceled job to stop.
  void OnEvent(const queue::Event& event);

  // False when no such worker reports here.
  bool SendTo(const std::string& worker, const v1::GatewayMessage& message);

  // By name.
  std::vector<v1::WorkerStats> Snapshot();
  // NOT_FOUND names those that are known.
  StatusOr<v1::WorkerStats> Find(const std::string& worker);
  // Workers that can run `model` and take jobs now: idle or busy, neither starting nor cordoned nor
  // draining.
  int ReadyFor(const std::string& model);
  // What those say that can run `model`, whether they take jobs now or not.
  std::vector<v1::WorkerStats> For(const std::string& model);

 private:
  struct Worker {
    v1::Hello hello;
    v1::WorkerStats stats;
    Send send;
  };

  Mutex mu_;
  Ticket last_ticket_ GUARDED_BY(mu_) = 0;
  std::map<Ticket, Worker> workers_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
