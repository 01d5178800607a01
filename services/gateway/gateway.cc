#include "services/gateway/gateway.h"

#include <random>
#include <utility>

#include "common/log/log.h"
#include "services/gateway/doors.h"
#include "services/gateway/flow/cancel_flow.h"
#include "services/gateway/flow/cleanup_flow.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/memory_check.h"
#include "services/gateway/flow/model_catalog.h"
#include "services/gateway/flow/picture_cache.h"
#include "services/gateway/flow/record_lookup.h"
#include "services/gateway/flow/redrive_flow.h"
#include "services/gateway/flow/submit_flow.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/grpc/admin_service.h"
#include "services/gateway/grpc/gate.h"
#include "services/gateway/grpc/images_service.h"
#include "services/gateway/grpc/models_service.h"
#include "services/gateway/grpc/submit_group.h"
#include "services/gateway/grpc/worker_report_service.h"
#include "services/gateway/grpc/write_guard.h"
#include "services/gateway/upkeep/certificate_watch.h"
#include "services/gateway/upkeep/job_metrics.h"
#include "services/gateway/upkeep/key_audit.h"
#include "services/gateway/upkeep/queue_sampler.h"
#include "services/gateway/upkeep/roles.h"
#include "services/gateway/watch/watcher_hub.h"
#include "services/gateway/worker_orders.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {
// Destroyed from the bottom: first the loops and events stop, last the pool's users go.
struct Gateway::Parts {
  Parts(const GatewayConfig& config_in, const std::string& secret, config::ModelFolder folder,
        const Ports& ports, const FleetGate* gate, std::unique_ptr<AuditLog> audit_in)
      : config(config_in),
        catalog(std::move(folder)),
        reader(ports.producer, ports.store, secret),
        job_metrics(ports.metrics, catalog.NameList()),
        records(ports.store, ports.metrics),
        submit({&catalog, ports.producer, &records, &job_metrics, secret, RandomSeeds(),
                [this](const job::GenerateSpec& spec) { return Admit(spec); }}),
        cancel({&reader, ports.producer, ports.maintenance, ports.store, ports.clock}),
        redrive(ports.producer, &reader),
        cleanup({ports.store, ports.producer, ports.clock, ports.metrics, ports.maintenance},
                config.sweep),
        sampler({ports.maintenance, ports.control, &workers, ports.metrics, catalog.NameList(),
                 [this](const queue::QueueLimits& standing) { return LimitsOf(config, standing); },
                 [this](bool ready) { SetServing(&Parts::queue_ready, ready); }}),
        pool({.threads = config.work_threads, .max_queued = static_cast<size_t>(config.work_queue)},
             ports.metrics),
        hub({&reader, &pool, ports.clock}),
        pictures({&reader, &pool, ports.metrics}),
        tracer(ports.spans == nullptr ? no_spans : *ports.spans, *ports.clock,
               trace::SystemRandomBits(), config.traces.share),
        group(&submit, ports.metrics, &tracer),
        guard(ports.clock),
        images({&group, &cancel, &redrive, &reader, &hub, &guard, &pictures, &pool}),
        orders(&workers, ports.clock),
        models({&catalog, &sampler, &workers, &orders}),
        admin({ports.maintenance, ports.control, &reader, &cleanup, &workers, &orders, &pool,
               ports.clock, config.name, PHASOR_VERSION, [gate] { return gate->job_loss(); }}),
        report({&workers, &orders, ports.events, &pool, config.name}),
        keys(ports.keys),
        audit(std::move(audit_in)),
        authenticator({.keys = ports.keys, .tokens = ports.tokens, .clock = ports.clock}),
        gate_keeper({&authenticator, ports.metrics, audit.get()}),
        roles(
            {ports.producer, ports.maintenance, ports.store, &workers, ports.clock, ports.metrics},
            {.policy = config.sweep, .interval = config.sweep_every},
            static_cast<uint32_t>(std::random_device()())) {}

  Status Admit(const job::GenerateSpec& spec) {
    const config::ModelCard* card = catalog.Find(spec.model);
    const int multiple = card == nullptr ? 8 : card->limits.size_multiple;
    return CheckMemory(spec, multiple, workers.For(spec.model));
  }

  // Keys that do not answer yet are waited for; a file that is not there was named by mistake.
  Status FirstLookAtCredentials() {
    const Status read = authenticator.Refresh();
    if (read.code() == StatusCode::kNotFound) return FailedPrecondition("keys: " + Message(read));
    if (!read.ok()) log::Warn("keys can't be read", {{"why", read}});
    const Status tokens = authenticator.RefreshTokens();
    if (!tokens.ok()) log::Warn("tokens can't be checked yet", {{"why", tokens}});
    return OkStatus();
  }

  // Who keeps no log leaves the changes to a gateway that does.
  Status AuditKeys() {
    if (keys == nullptr || config.audit == "off") return OkStatus();
    return AuditKeyChanges(*keys, *audit);
  }

  // Opens the doors.
  Status Open(const Ports& ports) {
    std::shared_ptr<tls::Source> source;
    if (!config.tls.empty()) {
      ASSIGN_OR_RETURN(source, tls::Source::Open(config.tls, ports.clock));
    }
    certificates = std::make_unique<CertificateWatch>(source, ports.metrics);
    ASSIGN_OR_RETURN(const auto listeners, ListenersOf(config));
    ASSIGN_OR_RETURN(
        auto opened,
        Doors::Open(
            {listeners, source, ports.metrics, [this] { return gate_keeper.MakeInterceptor(); }},
            {.clients = {&images, &models}, .operators = {&admin}, .workers = {&report}}));
    MutexLock lock(&mu);
    doors = std::move(opened);
    return OkStatus();
  }

  // The threads that know may know before the server stands.
  void SetServing(bool Parts::*what, bool ready) {
    MutexLock lock(&mu);
    this->*what = ready;
    if (doors != nullptr) doors->SetServing(queue_ready && fleet_ready && !stopping);
  }

  const GatewayConfig config;
  const ModelCatalog catalog;
  JobReader reader;
  JobMetrics job_metrics;
  RecordLookup records;
  SubmitFlow submit;
  CancelFlow cancel;
  RedriveFlow redrive;
  CleanupFlow cleanup;
  WorkerRegistry workers;
  QueueSampler sampler;
  WorkPool pool;
  WatcherHub hub;
  PictureCache pictures;
  trace::NoSpans no_spans;
  const trace::Tracer tracer;
  SubmitGroup group;
  WriteGuard guard;
  ImagesService images;
  WorkerOrders orders;
  ModelsService models;
  AdminService admin;
  WorkerReportService report;
  access::KeyStore* const keys;
  const std::unique_ptr<AuditLog> audit;
  access::Authenticator authenticator;
  Gate gate_keeper;
  Roles roles;

  Mutex mu;
  bool queue_ready GUARDED_BY(mu) = false;
  bool fleet_ready GUARDED_BY(mu) = false;
  bool stopping GUARDED_BY(mu) = false;
  std::unique_ptr<Doors> doors;  // set once, under mu
  std::unique_ptr<CertificateWatch> certificates;
  std::unique_ptr<queue::Subscription> subscription;
};

Gateway::Gateway(std::unique_ptr<FleetGate> gate, std::unique_ptr<Parts> parts)
    : gate_(std::move(gate)), parts_(std::move(parts)) {}

Gateway::~Gateway() { Shutdown(); }

StatusOr<std::unique_ptr<Gateway>> Gateway::Start(const GatewayConfig& config,
                                                  const std::string& secret,
                                                  config::ModelFolder models, const Ports& ports) {
  auto gate =
      std::make_unique<FleetGate>(FleetGate::Parts{.foundation = ports.foundation,
                                                   .producer = ports.producer,
                                                   .store = ports.store,
                                                   .clock = ports.clock,
                                                   .metrics = ports.metrics,
                                                   .secret = secret,
                                                   .allow_job_loss = config.allow_job_loss});
  RETURN_IF_ERROR(gate->Tick());
  RETURN_IF_ERROR(gate->refused());
  Ports behind = ports;
  behind.producer = gate->producer();
  behind.store = gate->store();
  const bool open = ports.keys == nullptr && ports.tokens == nullptr;
  ASSIGN_OR_RETURN(auto audit, AuditLog::Open(open ? "off" : config.audit, ports.clock));
  auto owned = std::make_unique<Parts>(config, secret, std::move(models), behind, gate.get(),
                                       std::move(audit));
  Parts* const parts = owned.get();
  RETURN_IF_ERROR(parts->FirstLookAtCredentials());
  RETURN_IF_ERROR(parts->Open(ports));
  parts->subscription = ports.events->Subscribe([parts](const queue::Event& event) {
    parts->hub.OnEvent(event);
    parts->workers.OnEvent(event);
    parts->job_metrics.OnEvent(event);
  });
  parts->roles.Start({{"certificates", [parts] { return parts->certificates->Tick(); }},
                      {"sampler",
                       [parts] {
                         parts->sampler.Tick();
                         return OkStatus();
                       }},
                      {"fleet",
                       [parts, gate = gate.get()] {
                         RETURN_IF_ERROR(gate->Tick());
                         parts->SetServing(&Parts::fleet_ready, gate->ready().ok());
                         return OkStatus();
                       }},
                      {"access",
                       [parts] {
                         Status first_error = parts->authenticator.Refresh();
                         parts->gate_keeper.Tick();
                         first_error.Update(parts->AuditKeys());
                         return first_error;
                       }},
                      {"tokens", [parts] { return parts->authenticator.RefreshTokens(); }},
                      {"watchers", [parts] {
                         parts->hub.Tick();
                         parts->guard.Tick();
                         parts->orders.Tick();
                         return OkStatus();
                       }}});
  return std::unique_ptr<Gateway>(new Gateway(std::move(gate), std::move(owned)));
}

const std::string& Gateway::address(Audience audience) const {
  return parts_->doors->address(audience);
}

Status Gateway::ready() {
  RETURN_IF_ERROR(gate_->ready());
  return parts_->sampler.ready();
}

Status Gateway::refused() const { return gate_->refused(); }

void Gateway::Shutdown() {
  {
    MutexLock lock(&parts_->mu);
    if (parts_->stopping) return;
    parts_->stopping = true;
    parts_->doors->SetServing(false);
  }
  parts_->roles.Stop();
  parts_->subscription.reset();
  parts_->hub.Close(Public(Unavailable("the gateway is shutting down; call again")));
  parts_->report.Close();
  parts_->doors->Shutdown(parts_->config.shutdown_grace);
  parts_->group.Stop();
  parts_->records.Stop();
  parts_->pool.Stop();
}

}  // namespace phasor::gateway
