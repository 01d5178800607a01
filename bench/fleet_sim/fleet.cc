#include "bench/fleet_sim/fleet.h"

#include <sys/resource.h>

#include <string>
#include <utility>

namespace phasor::bench {
namespace {

constexpr int kFilesOfWorker = 3;  // commands, the bell, and what wakes its callers
constexpr int kOtherFiles = 200;

// As many files as are allowed, and these are enough.
Status RaiseFileLimit(int workers) {
  rlimit files{};
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
  const auto needed = static_cast<rlim_t>(kFilesOfWorker * workers + kOtherFiles);
  if (files.rlim_max >= needed) return OkStatus();
  return FailedPrecondition("that many workers need " + std::to_string(needed) +
                            " open files (ulimit -n)");
}

}  // namespace

StatusOr<queue::RedisOptions> OptionsOf(const FleetLoad& load) {
  queue::RedisOptions options;
  ASSIGN_OR_RETURN(options.address, queue::ParseRedisUrl(load.redis));
  return options;
}

Fleet::Fleet(FleetLoad load, const queue::RedisOptions& options)
    : load_(std::move(load)), options_(options) {}

Fleet::~Fleet() {
  arrivals_.reset();
  checks_.reset();
  for (std::jthread& thread : threads_) thread.request_stop();
}

Status Fleet::Start() {
  RETURN_IF_ERROR(RaiseFileLimit(load_.workers));
  std::vector<queue::Producer*> producers;
  std::vector<queue::Foundation*> foundations;
  for (int n = 0; n < load_.gateways; ++n) {
    gateways_.push_back(std::make_unique<SimGateway>(options_, n, tally_));
    producers.push_back(&gateways_.back()->queue());
    foundations.push_back(&gateways_.back()->foundation());
  }
  for (int n = 0; n < load_.workers; ++n) {
    queue::RedisQueue& gateway = gateways_[static_cast<size_t>(n % load_.gateways)]->queue();
    workers_.push_back(std::make_unique<SimWorker>(
        load_, options_, n, gateway, [this] { return job_seconds_.load(); }, tally_));
    SimWorker* const worker = workers_.back().get();
    RETURN_IF_ERROR(worker->Connect());
    foundations.push_back(&worker->foundation());
    threads_.emplace_back([worker](const std::stop_token& stop) { worker->Run(stop); });
  }
  checks_ = std::make_unique<FleetChecks>(foundations, load_.checkers, tally_);
  arrivals_ = std::make_unique<Arrivals>(
      load_, std::move(producers), [this] { return rate_.load(); }, tally_);
  return OkStatus();
}

void Fleet::SetWork(const Work& work) {
  job_seconds_ = work.job_seconds;
  rate_ = work.jobs_per_second;
}

}  // namespace phasor::bench
