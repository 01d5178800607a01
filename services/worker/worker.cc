#include "services/worker/worker.h"

#include <chrono>
#include <thread>
#include <utility>

#include "common/log/log.h"
#include "common/metrics/operations.h"
#include "common/rpc/channel.h"

namespace phasor::worker {
namespace {

constexpr Millis kLastSeconds{4'500};  // from a lost device to the end of the process

ExecutorConfig ExecutorConfigOf(const WorkerConfig& config,
                                const std::vector<config::ModelCard>& models) {
  const bool named = !config.preload.empty() || models.empty();
  return {.runner = {.worker = config.name,
                     .lease = config.lease,
                     .checkpoint_share = config.checkpoint_share,
                     .stall = config.stall,
                     .debug = {.directory = config.debug_dir,
                               .prompts = config.debug_prompts,
                               .most = static_cast<size_t>(config.debug_records)}},
          .taker = {.worker = config.name, .node = config.node, .lease = config.lease},
          .models = models,
          .limits = {.models = static_cast<size_t>(config.max_models_resident),
                     .bytes = config.max_model_bytes,
                     .load_alone = config.load_alone},
          .group = {.jobs = config.group, .wait = config.group_wait},
          .result_cache_bytes = config.result_cache_bytes,
          .preload = named ? config.preload : models.front().name};
}

std::vector<std::string> NamesOf(const std::vector<config::ModelCard>& models) {
  std::vector<std::string> names;
  for (const config::ModelCard& model : models) names.push_back(model.name);
  return names;
}

void TakeNewCertificates(const rpc::ClientTls& tls) {
  if (tls.source == nullptr) return;
  if (const Status status = tls.source->Look(); !status.ok()) {
    log::Warn("certificates can't be replaced", {{"why", status}});
  }
}

}  // namespace

Worker::Worker(WorkerConfig config, std::vector<config::ModelCard> models, Ports ports)
    : config_(std::move(config)),
      models_(std::move(models)),
      ports_(std::move(ports)),
      spans_(trace::OpenSpans(config_.traces, registry_)),
      tracer_(*spans_, ports_.clock, trace::SystemRandomBits(), config_.traces.share),
      metrics_(registry_, NamesOf(models_)),
      memory_metrics_(registry_),
      status_({.name = config_.name, .node = config_.node, .device = config_.device}, ports_.clock),
      lease_(ports_.queue, ports_.clock, {.lease = config_.lease, .every = config_.lease * 4 / 15},
             metrics_),
      intake_({.models = NamesOf(models_),
               .cordon = {.cool_down = config_.cool_down},
               .max_memory_percent = config_.max_memory_percent},
              ports_.clock, ports_.memory_percent),
      watchdog_(
          [this] {
            const std::optional<Activity> of_job = lease_.activity();
            return of_job ? of_job : own_units_.activity();
          },
          ports_.clock, ports_.end_process, {}),
      executor_(ExecutorParts(), ExecutorConfigOf(config_, models_)),
      drain_(executor_, intake_, lease_, status_, ports_.clock),
      gpu_care_(ports_.watch_gpu(), registry_, status_, [this] { drain_.Order(); }) {
  registry_.Gauges("worker_device", "1 while the worker computes on this device.", {"device"})
      .With({status_.identity().device})
      .Set(1);
}

Executor::Parts Worker::ExecutorParts() {
  return {
      .make_engine = ports_.make_engine,
      .queue = ports_.queue,
      .store = ports_.store,
      .lease = lease_,
      .progress =
          [this](const v1::JobProgress& progress) {
            for (const auto& stream : streams_) stream->Report(progress);
          },
      .patience = {ports_.clock, [](Millis pause) { std::this_thread::sleep_for(pause); },
                   ports_.draw},
      .metrics = metrics_,
      .memory = memory_metrics_,
      .status = status_,
      .intake = intake_,
      .own_units = own_units_,
      .on_device_lost =
          [this] { watchdog_.EndBy(ports_.clock.Steady() + kLastSeconds, "the device is lost"); },
      .tracer = &tracer_};
}

WorkerCommands Worker::Commands() {
  return {.cancel =
              [this](const std::string&) {
                // Only a hint: the queue's answer to a renewal says whether the job has ended.
                lease_.RenewSoon();
              },
          .preempt =
              [this](const std::string& id, Millis rest) {
                intake_.RestAfter(id, rest);
                lease_.AskToStop(StopReason::kPreempted, id);
              },
          .drain = [this] { drain_.Order(); },
          .order = [this](Order order) { executor_.Ask(std::move(order)); }};
}

Status Worker::OpenStreams() {
  v1::Hello hello;
  hello.set_name(config_.name);
  hello.set_node(config_.node);
  hello.set_device(status_.identity().device);
  hello.set_version(PHASOR_VERSION);
  for (const config::ModelCard& model : models_) hello.add_models(model.name);
  ASSIGN_OR_RETURN(const rpc::ClientTls tls, rpc::OpenClientTls(config_.tls, &ports_.clock));
  std::shared_ptr<rpc::Credential> credential;
  if (!config_.credential_file.empty()) {
    ASSIGN_OR_RETURN(credential, rpc::Credential::Open(config_.credential_file, &ports_.clock));
  }
  for (const std::string& address : config_.gateways) {
    ASSIGN_OR_RETURN(auto channel,
                     rpc::MakeChannel({.address = address, .credential = credential, .tls = tls}));
    streams_.push_back(std::make_unique<ReportStream>(
        address, ReportStream::Parts{
                     .channel = channel,
                     .hello = hello,
                     .stats = [this] { return status_.Stats(); },
                     .commands = Commands(),
                     .refresh = [tls] { TakeNewCertificates(tls); },
                     .explain = [address, tls] { return rpc::ExplainUnreachable(address, tls); },
                     .draw = ports_.draw}));
  }
  return OkStatus();
}

Status Worker::Run(const std::function<bool()>& wait) {
  RETURN_IF_ERROR(OpenStreams());
  const auto ready = [this] {
    RETURN_IF_ERROR(ports_.fleet());
    return status_.Readiness();
  };
  ASSIGN_OR_RETURN(const auto admin,
                   metrics::OpenOperations(config_, &registry_, ready, &ports_.clock));
  if (admin != nullptr) log::Info("operations port open", {{"port", admin->port()}});
  std::vector<std::jthread> threads;
  threads.emplace_back([this](std::stop_token stop) { lease_.Run(std::move(stop)); });
  threads.emplace_back([this](std::stop_token stop) { watchdog_.Run(std::move(stop)); });
  threads.emplace_back([this](std::stop_token stop) { gpu_care_.Run(std::move(stop)); });
  for (const auto& stream : streams_) {
    threads.emplace_back([&stream](std::stop_token stop) { stream->Run(std::move(stop)); });
  }
  Status end;
  std::atomic<bool> ended = false;
  std::jthread executing([&] {
    end = executor_.Run();
    ended = true;
  });
  int signals = 0;
  while (!ended) {
    if (wait()) drain_.Begin(++signals == 1 ? config_.grace : Millis(0));
    drain_.Tick();
  }
  executing.join();
  log::Info("worker ended", {{"status", end}});
  return end;
}

}  // namespace phasor::worker
