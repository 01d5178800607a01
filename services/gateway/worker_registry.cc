#include "services/gateway/worker_registry.h"

#include <algorithm>
#include <utility>

namespace phasor::gateway {
namespace {

constexpr size_t kMaxNames = 600;  // bytes of an error message

}  // namespace

WorkerRegistry::Ticket WorkerRegistry::Connect(const v1::Hello& hello, Send send) {
  MutexLock lock(&mu_);
  std::erase_if(workers_,
                [&](const auto& entry) { return entry.second.hello.name() == hello.name(); });
  Worker worker{.hello = hello, .stats = {}, .send = std::move(send)};
  worker.stats.set_name(hello.name());
  worker.stats.set_node(hello.node());
  worker.stats.set_device(hello.device());
  worker.stats.set_state("idle");
  workers_.emplace(++last_ticket_, std::move(worker));
  return last_ticket_;
}

void WorkerRegistry::Disconnect(Ticket ticket) {
  MutexLock lock(&mu_);
  workers_.erase(ticket);
}

void WorkerRegistry::OnStats(Ticket ticket, const v1::WorkerStats& stats) {
  MutexLock lock(&mu_);
  const auto found = workers_.find(ticket);
  if (found == workers_.end()) return;
  found->second.stats = stats;
  found->second.stats.set_name(found->second.hello.name());
}

void WorkerRegistry::OnProgress(Ticket ticket, const v1::JobProgress& progress) {
  MutexLock lock(&mu_);
  const auto found = workers_.find(ticket);
  if (found == workers_.end()) return;
  found->second.stats.set_state("busy");
  found->second.stats.set_job_id(progress.job_id());
  if (progress.memory_used_bytes() > 0) {
    found->second.stats.set_memory_used_bytes(progress.memory_used_bytes());
  }
}

void WorkerRegistry::OnEvent(const queue::Event& event) {
  if (event.state != queue::State::kCanceled || event.version == 0) return;
  std::vector<Send> holders;
  {
    MutexLock lock(&mu_);
    for (const auto& [ticket, worker] : workers_) {
      const bool holds = worker.stats.job_id() == event.id || worker.hello.name() == event.worker;
      if (holds) holders.push_back(worker.send);
    }
  }
  v1::GatewayMessage message;
  message.mutable_cancel()->set_job_id(event.id);
  for (const Send& send : holders) send(message);
}

std::vector<v1::WorkerStats> WorkerRegistry::Snapshot() {
  std::vector<v1::WorkerStats> all;
  {
    MutexLock lock(&mu_);
    for (const auto& [ticket, worker] : workers_) all.push_back(worker.stats);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return all;
}

bool WorkerRegistry::SendTo(const std::string& worker, const v1::GatewayMessage& message) {
  Send send;
  {
    MutexLock lock(&mu_);
    for (const auto& [ticket, known] : workers_) {
      if (known.hello.name() == worker) send = known.send;
    }
  }
  if (send == nullptr) return false;
  send(message);
  return true;
}

StatusOr<v1::WorkerStats> WorkerRegistry::Find(const std::string& worker) {
  std::string names;
  for (v1::WorkerStats& stats : Snapshot()) {
    if (stats.name() == worker) return std::move(stats);
    if (names.size() < kMaxNames) names += (names.empty() ? "" : ", ") + stats.name();
  }
  return NotFound("no worker '" + worker.substr(0, kMaxNames) + "' reports to this gateway; " +
                  (names.empty() ? "none does" : "known are: " + names));
}

std::vector<v1::WorkerStats> WorkerRegistry::For(const std::string& model) {
  std::vector<v1::WorkerStats> found;
  MutexLock lock(&mu_);
  for (const auto& [ticket, worker] : workers_) {
    const auto& models = worker.hello.models();
    if (std::find(models.begin(), models.end(), model) != models.end()) {
      found.push_back(worker.stats);
    }
  }
  return found;
}

int WorkerRegistry::ReadyFor(const std::string& model) {
  MutexLock lock(&mu_);
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [&](const auto& entry) {
    const std::string& state = entry.second.stats.state();
    if (state != "idle" && state != "busy") return false;
    const auto& models = entry.second.hello.models();
    return std::find(models.begin(), models.end(), model) != models.end();
  }));
}

}  // namespace phasor::gateway
