#include "bench/fleet_sim/arrivals.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "bench/fleet_sim/job_stamp.h"
#include "bench/fleet_sim/wait.h"
#include "common/base/hash.h"

namespace phasor::bench {
namespace {

constexpr Millis kLook{100};   // how soon a thread without work sees that there is some
constexpr double kBehind = 1;  // seconds; jobs that could not be submitted in time are let go then

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

Arrivals::Arrivals(const FleetLoad& load, std::vector<queue::Producer*> gateways,
                   std::function<double()> rate, Tally& tally)
    : load_(load), gateways_(std::move(gateways)), rate_(std::move(rate)), tally_(tally) {
  for (int n = 0; n < load.submitters; ++n) {
    threads_.emplace_back([this, n](const std::stop_token& stop) { Run(stop, n); });
  }
}

void Arrivals::Run(const std::stop_token& stop, int thread) {
  std::mt19937_64 random(1'000'000 + static_cast<uint64_t>(thread));
  queue::Producer& gateway = *gateways_[static_cast<size_t>(thread) % gateways_.size()];
  SteadyTime next = Now();
  while (!stop.stop_requested()) {
    const double rate = rate_() / load_.submitters;
    if (rate <= 0) {
      next = Now() + kLook;
      SleepUntil(stop, next);
      continue;
    }
    std::exponential_distribution<double> pause(rate);
    next += std::chrono::duration_cast<SteadyTime::duration>(
        std::chrono::duration<double>(pause(random)));
    if (SecondsBetween(next, Now()) > kBehind) {
      tally_.AddTrouble("submits came too slowly");
      next = Now();
    }
    if (SleepUntil(stop, next)) SubmitOne(gateway);
  }
}

queue::SubmitRequest Arrivals::Next() {
  const int64_t n = submitted_++;
  queue::SubmitRequest request;
  request.tenant = "tenant-" + std::to_string(n % load_.tenants);
  request.id = job::MakeJobId("bench", request.tenant, std::to_string(n));
  request.model = ModelName(static_cast<int>(n % load_.models));
  request.priority = static_cast<queue::Priority>(n % 4);
  request.fingerprint = Sha256Hex(request.id);
  request.spec = StampedSpec(Now(), static_cast<size_t>(load_.payload));
  return request;
}

void Arrivals::SubmitOne(queue::Producer& gateway) {
  const queue::SubmitRequest request = Next();
  const SteadyTime begin = Now();
  const auto reply = gateway.Submit(request);
  tally_.Add(Sample::kSubmit, begin);
  if (!reply.ok()) {
    tally_.AddTrouble("submit: " + Message(reply.status()));
  } else if (reply->outcome != queue::SubmitOutcome::kAccepted) {
    tally_.AddTrouble("a job was refused: " + reply->full);
  }
}

}  // namespace phasor::bench
