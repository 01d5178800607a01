#include "services/worker/take/executor.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "engine/api/device_lost.h"
#include "services/worker/take/job_group.h"
#include "services/worker/take/self_check.h"

namespace phasor::worker {
namespace {

constexpr size_t kMaxOrders = 16;
constexpr Millis kNap{200};  // while no job is to be taken
// How long a draining worker asks whether its last take got it a job.
constexpr Millis kLongestFarewell{3'000};

std::vector<std::string> NamesOf(const std::vector<config::ModelCard>& cards) {
  std::vector<std::string> names;
  for (const config::ModelCard& card : cards) names.push_back(card.name);
  return names;
}

}  // namespace

Executor::Executor(Parts parts, ExecutorConfig config)
    : parts_(std::move(parts)),
      config_(std::move(config)),
      offer_(NamesOf(config_.models)),
      stretch_(config_.group) {
  if (!config_.preload.empty()) orders_.push_back({.model = config_.preload});
}

Status Executor::Run() {
  ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine, parts_.make_engine());
  ModelCache models(*engine, config_.models, config_.limits, parts_.patience.clock, parts_.metrics,
                    parts_.memory);
  MemoryWatch memory({.engine = *engine,
                      .models = models,
                      .cards = config_.models,
                      .metrics = parts_.memory,
                      .status = parts_.status});
  ResultCache results(config_.result_cache_bytes, parts_.memory);
  memory.AddCache([&results] { results.Clear(); });
  JobRunner runner({.queue = parts_.queue,
                    .store = parts_.store,
                    .engine = *engine,
                    .models = models,
                    .memory = memory,
                    .results = results,
                    .lease = parts_.lease,
                    .progress = parts_.progress,
                    .patience = parts_.patience,
                    .metrics = parts_.metrics,
                    .on_device_lost = parts_.on_device_lost,
                    .tracer = parts_.tracer},
                   config_.runner);
  Taker taker(parts_.queue, parts_.patience, config_.taker);
  const Hands hands{models, memory, taker, runner};
  Obey(hands);
  parts_.status.Ready();
  log::Info("worker ready", {{"device", parts_.status.identity().device},
                             {"engine", engine->Versions()},
                             {"models", config_.models.size()}});
  return Loop(hands);
}

Status Executor::Loop(const Hands& hands) {
  Taker& taker = hands.taker;
  while (!MayLeave(taker)) {
    if (HasOrders()) taker.Settle();  // they take a while
    Obey(hands);
    if (!taker.MayHoldJob()) RETURN_IF_ERROR(TestIfDue(taker, hands.models));
    if (!taker.MayHoldJob() && !IntakeIsOpen()) {
      taker.Settle();
      parts_.patience.sleep(kNap);
      continue;
    }
    ASSIGN_OR_RETURN(const bool worked, Tick(hands));
    if (worked) {
      idle_.Worked();
    } else if (!draining() && offer_.RoundIsOver()) {
      parts_.queue.WaitForWork(idle_.Wait(parts_.patience.draw()));
    }
  }
  taker.Settle();
  return OkStatus();
}

bool Executor::IntakeIsOpen() {
  const std::optional<Closed> closed = parts_.intake.Look();
  parts_.status.SetClosed(closed);
  parts_.metrics.SetClosed(closed);
  return !closed.has_value();
}

StatusOr<std::optional<Taker::Taken>> Executor::Take(const Hands& hands) {
  const auto may = [this](const std::string& model) { return parts_.intake.Offers(model); };
  const auto only = stretch_.Only(parts_.patience.clock.Steady());
  if (only && may(*only)) {
    auto taken = hands.taker.Take({*only});
    if (!taken.ok() || taken->has_value()) return taken;
  }
  stretch_.Over();
  return hands.taker.Take(offer_.Next(hands.models.Resident(), may));
}

StatusOr<bool> Executor::Tick(const Hands& hands) {
  const auto taken = Take(hands);
  if (!taken.ok()) {
    TakeFailed(taken.status());
    return true;
  }
  if (failures_ > 0) log::Info("the queue gives jobs again");
  failures_ = 0;
  parts_.status.SetQueue(OkStatus());
  if (!taken->has_value()) return false;
  JobGroup group({.taker = hands.taker,
                  .runner = hands.runner,
                  .models = hands.models,
                  .lease = parts_.lease,
                  .intake = parts_.intake,
                  .stretch = stretch_,
                  .status = parts_.status,
                  .metrics = parts_.metrics,
                  .clock = parts_.patience.clock,
                  .may_take = [this] { return !draining() && !HasOrders() && IntakeIsOpen(); }},
                 config_.group);
  RETURN_IF_ERROR(group.Run(**taken));
  parts_.status.Resident(hands.models.Resident());
  hands.memory.Look();
  return true;
}

void Executor::TakeFailed(const Status& status) {
  const bool unreached = status.code() == StatusCode::kUnavailable;
  if (failures_++ == 0) {
    if (status.code() == StatusCode::kAborted) {
      log::Info("no job is taken before Redis and the store answer", {{"status", status}});
    } else {
      log::Warn(unreached ? "the queue is not reached" : "the queue refuses to give jobs",
                {{"status", status}});
    }
  }
  // One lost reply is no news.
  if (!unreached || failures_ > 1) parts_.status.SetQueue(status);
  parts_.patience.sleep(Backoff(failures_, Millis(100), Millis(2'000), parts_.patience.draw()));
}

Status Executor::TestIfDue(Taker& taker, ModelCache& models) {
  const std::optional<std::string> model = parts_.intake.DueTest();
  if (!model.has_value()) return OkStatus();
  taker.Settle();  // a test takes a while
  const SelfCheck::Outcome outcome =
      SelfCheck(parts_.store, models, parts_.own_units, config_.runner.stall).Run(*model);
  parts_.intake.Tested(*model, outcome.result);
  parts_.status.Resident(models.Resident());
  if (engine::IsDeviceLost(outcome.status)) {
    parts_.on_device_lost();
    return outcome.status;
  }
  if (outcome.status.ok()) {
    log::Info("the worker's test of itself came out, it takes jobs", {{"model", *model}});
  } else {
    log::Error("the worker's test of itself failed, it waits and tests again",
               {{"model", *model}, {"status", outcome.status}});
  }
  return OkStatus();
}

void Executor::Obey(const Hands& hands) {
  std::vector<Order> orders;
  {
    MutexLock lock(&mu_);
    orders.swap(orders_);
  }
  for (const Order& order : orders) {
    Status status;
    uint64_t freed = 0;
    switch (order.kind) {
      case Order::Kind::kLoad:
        status = Load(order, hands.models);
        break;
      case Order::Kind::kUnload:
        hands.models.Unload(order.model);
        break;
      case Order::Kind::kCleanup:
        freed = hands.memory.Cleanup();
        break;
    }
    parts_.status.Resident(hands.models.Resident());
    hands.memory.Look();
    if (order.done) order.done(status, freed);
  }
}

Status Executor::Load(const Order& order, ModelCache& models) {
  const Millis stall = UnitPace(config_.runner.stall).LoadStall();
  const auto begin_part = [&] {
    parts_.own_units.Begin("the load of model " + order.model, stall);
  };
  begin_part();
  const auto model = models.Get(order.model, [&](std::string_view) { begin_part(); });
  parts_.own_units.End();
  if (!model.ok()) {
    log::Warn("preload failed", {{"model", order.model}, {"status", model.status()}});
    return model.status();
  }
  if (order.pin) models.Pin(order.model);
  return OkStatus();
}

bool Executor::HasOrders() const {
  MutexLock lock(&mu_);
  return !orders_.empty();
}

void Executor::Drain() {
  MutexLock lock(&mu_);
  if (!draining_) drain_began_ = parts_.patience.clock.Steady();
  draining_ = true;
}

void Executor::Ask(Order order) {
  {
    MutexLock lock(&mu_);
    if (orders_.size() < kMaxOrders) {
      orders_.push_back(std::move(order));
      return;
    }
  }
  if (order.done) order.done(Unavailable("the worker has too many orders already"), 0);
}

bool Executor::draining() const {
  MutexLock lock(&mu_);
  return draining_;
}

bool Executor::MayLeave(const Taker& taker) const {
  MutexLock lock(&mu_);
  if (!draining_) return false;
  return !taker.MayHoldJob() || parts_.patience.clock.Steady() - drain_began_ >= kLongestFarewell;
}

}  // namespace phasor::worker
