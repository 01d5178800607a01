#include "bench/fleet_sim/sim_gateway.h"

#include <chrono>

#include "bench/fleet_sim/wait.h"

namespace phasor::bench {
namespace {

constexpr int kLongestPause = 1'250;  // milliseconds between two rounds, and at least 750
constexpr int kRecovered = 32;
constexpr int kSealed = 64;
constexpr int kAudited = 64;
constexpr int kMostPages = 400;

}  // namespace

SimGateway::SimGateway(const queue::RedisOptions& options, int number, Tally& tally)
    : queue_(options),
      foundation_(options, [this] { return queue_.connections(); }),
      tally_(tally),
      random_(static_cast<unsigned>(number)),
      events_(queue_.Subscribe([](const queue::Event&) {})),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void SimGateway::Run(const std::stop_token& stop) {
  std::uniform_int_distribution<int> pause(kLongestPause - 500, kLongestPause);
  do {
    if (const Status done = Tick(); !done.ok()) tally_.AddTrouble("upkeep: " + Message(done));
  } while (SleepUntil(stop, std::chrono::steady_clock::now() + Millis(pause(random_))));
}

Status SimGateway::Tick() {
  for (int moved = 1; moved > 0;) {
    ASSIGN_OR_RETURN(moved, queue_.Recover(kRecovered));
    if (moved > 0) tally_.AddTrouble("jobs were taken back");
  }
  for (int forgotten = queue::kMaxForget; forgotten == queue::kMaxForget;) {
    ASSIGN_OR_RETURN(forgotten, queue_.Forget(queue::kMaxForget));
  }
  RETURN_IF_ERROR(queue_.PendingSeals(kSealed).status());
  for (int page = 0; page < kMostPages; ++page) {
    ASSIGN_OR_RETURN(const queue::AuditReport report, queue_.Audit(queue::kAuditDue, kAudited));
    if (report.repaired > 0) tally_.AddTrouble("the audit mended something");
    if (report.looked == 0) break;
  }
  RETURN_IF_ERROR(queue_.Preempt(queue::kMaxPreemptions).status());
  return queue_.Stats().status();
}

}  // namespace phasor::bench
