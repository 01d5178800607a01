#include "services/gateway/grpc/submit_group.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "services/gateway/grpc/unary_call.h"

namespace phasor::gateway {
namespace {

constexpr size_t kMaxWaiting = 4096;
// A smaller group pays more for its round trip than it saves by waiting less.
constexpr size_t kGroup = 32;
constexpr size_t kWorthAnother = 16;
constexpr int kGroups = 3;
// Those that wait for the store: it is far away, and asked about all of a group at once.
constexpr size_t kStoreGroup = 64;
constexpr int kStoreGroups = 16;
constexpr size_t kMaxTraceParent = 128;

}  // namespace

SubmitGroup::Step::Step(Options options, metrics::Registry* metrics, std::function<void(Units)> run)
    : options_(std::move(options)), run_(std::move(run)), pool_(options_.pool, metrics) {}

bool SubmitGroup::Step::TryPost(Unit* unit) {
  MutexLock lock(&mu_);
  if (waiting_.size() >= options_.pool.max_queued) return false;
  const bool another = drains_ < pool_.threads() && waiting_.size() >= options_.worth_another;
  if (drains_ == 0 || another) {
    if (pool_.TryPost([this] { Drain(); })) {
      ++drains_;
    } else if (drains_ == 0) {
      return false;  // else a drain in progress takes it along
    }
  }
  waiting_.push_back(std::move(*unit));
  return true;
}

void SubmitGroup::Step::Drain() {
  for (;;) {
    Units group;
    {
      MutexLock lock(&mu_);
      group = NextGroup();
      if (group.empty()) {
        --drains_;
        return;
      }
    }
    run_(std::move(group));
  }
}

SubmitGroup::Units SubmitGroup::Step::NextGroup() {
  Units group;
  for (size_t submits = 0; !waiting_.empty() && submits < options_.max_group;) {
    submits += waiting_.front().entry.items.size();
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

SubmitGroup::SubmitGroup(SubmitFlow* flow, metrics::Registry* metrics, const trace::Tracer* tracer)
    : flow_(flow),
      tracer_(tracer),
      store_step_({.pool = {.name = "submits that ask the store",
                            .threads = kStoreGroups,
                            .max_queued = kMaxWaiting},
                   .max_group = kStoreGroup},
                  metrics, [this](Units units) { AskStore(std::move(units)); }),
      queue_step_({.pool = {.name = "submits", .threads = kGroups, .max_queued = kMaxWaiting},
                   .max_group = kGroup,
                   .worth_another = kWorthAnother},
                  metrics, [this](Units units) { AskQueue(std::move(units)); }) {}

bool SubmitGroup::TryPost(Entry entry) {
  Unit unit{std::move(entry), {}};
  unit.span = tracer_->Begin(trace::ParseTraceParent(unit.entry.trace_parent));
  for (SubmitFlow::Item& item : unit.entry.items) {
    item.trace_parent = trace::TraceParent(unit.span.context);
  }
  return queue_step_.TryPost(&unit);
}

void SubmitGroup::Stop() {
  queue_step_.Stop();
  store_step_.Stop();
}

void SubmitGroup::AskQueue(Units units) {
  for (Unit& unit : units) {
    if (unit.entry.canceled && unit.entry.canceled()) {
      Unit gone = std::move(unit);
      SubmitFlow::Pending never;
      never.answer = Cancelled("the client went away");
      gone.pending.assign(gone.entry.items.size(), never);
      unit.entry.done = nullptr;
      Answer(std::move(gone));
      continue;
    }
    for (const SubmitFlow::Item& item : unit.entry.items) {
      unit.pending.push_back(flow_->Prepare(item));
    }
  }
  std::erase_if(units, [](const Unit& unit) { return !unit.entry.done; });
  flow_->AskQueue(PendingOf(&units));
  for (Unit& unit : units) {
    if (IsOver(unit)) {
      Answer(std::move(unit));
    } else if (!store_step_.TryPost(&unit)) {
      for (SubmitFlow::Pending& pending : unit.pending) {
        if (!pending.answer) pending.answer = BusyStatus();
      }
      Answer(std::move(unit));
    }
  }
}

void SubmitGroup::AskStore(Units units) {
  const SubmitFlow::Group group = PendingOf(&units);
  flow_->AskStore(group);
  flow_->AskQueue(group);
  for (Unit& unit : units) Answer(std::move(unit));
}

SubmitFlow::Group SubmitGroup::PendingOf(Units* units) {
  SubmitFlow::Group group;
  for (Unit& unit : *units) {
    for (SubmitFlow::Pending& pending : unit.pending) group.push_back(&pending);
  }
  return group;
}

bool SubmitGroup::IsOver(const Unit& unit) {
  return std::all_of(unit.pending.begin(), unit.pending.end(),
                     [](const SubmitFlow::Pending& pending) { return pending.answer.has_value(); });
}

void SubmitGroup::Answer(Unit unit) {
  std::vector<SubmitFlow::Answer> answers;
  answers.reserve(unit.pending.size());
  for (SubmitFlow::Pending& pending : unit.pending) answers.push_back(*std::move(pending.answer));
  if (tracer_->Wants(unit.span.context)) Tell(unit, answers);
  const log::Scope traced("trace_id", unit.span.context.trace_id);
  unit.entry.done(std::move(answers));
}

void SubmitGroup::Tell(const Unit& unit, const std::vector<SubmitFlow::Answer>& answers) const {
  trace::Span span{.name = "submit", .kind = trace::Kind::kProducer};
  span.attributes.emplace_back("phasor.jobs", static_cast<int64_t>(answers.size()));
  for (const SubmitFlow::Answer& answer : answers) {
    if (!answer.ok()) span.error = Message(answer.status());
  }
  if (answers.size() == 1 && answers.front().ok()) {
    const v1::SubmitResponse& response = *answers.front();
    span.attributes.emplace_back("phasor.job_id", response.job_id());
    span.attributes.emplace_back("phasor.model", response.request().model());
    span.attributes.emplace_back("phasor.duplicate", response.duplicate());
  }
  tracer_->End(unit.span, std::move(span));
}

std::string SubmitGroup::TraceParent(const grpc::CallbackServerContext& call) {
  const auto found = call.client_metadata().find("traceparent");
  if (found == call.client_metadata().end() || found->second.size() > kMaxTraceParent) return "";
  return {found->second.data(), found->second.size()};
}

void SubmitGroup::LogAccepted(const v1::SubmitResponse& response) {
  if (!log::Enabled(log::Level::kInfo)) return;
  log::Info("job accepted", {{"job_id", response.job_id()},
                             {"model", response.request().model()},
                             {"duplicate", response.duplicate()}});
}

}  // namespace phasor::gateway
