#include "services/worker/take/self_check.h"

#include <algorithm>
#include <utility>

#include "common/base/hash.h"

namespace phasor::worker {
namespace {

constexpr char kName[] = "the worker's test of itself";
constexpr int kLargestSide = 256;  // pixels; a model's own size, where that is smaller

}  // namespace

SelfCheck::Outcome SelfCheck::Run(const std::string& model) {
  Outcome outcome = Try(model);
  units_.End();
  return outcome;
}

SelfCheck::Outcome SelfCheck::Try(const std::string& model) {
  if (Status status = TryStore(); !status.ok()) {
    return {TestResult::kStoreFails, std::move(status)};
  }
  if (Status status = TryModel(model); !status.ok()) {
    return {TestResult::kModelFails, std::move(status)};
  }
  return {};
}

Status SelfCheck::TryStore() {
  const std::string token = RandomToken();
  const std::string key = "probe-" + token;
  units_.Begin(kName, kStoreStall);
  RETURN_IF_ERROR(store_.Put(key, token));
  const StatusOr<std::string> read = store_.Get(key);
  const Status deleted = store_.Delete(key);
  RETURN_IF_ERROR(read.status());
  RETURN_IF_ERROR(deleted);
  return *read == token ? OkStatus() : DataLoss("the store gives other bytes than were put");
}

Status SelfCheck::TryModel(const std::string& name) {
  const auto begin_part = [this] { units_.Begin(kName, pace_.LoadStall()); };
  begin_part();
  ASSIGN_OR_RETURN(const std::shared_ptr<engine::Model> model,
                   models_.Get(name, [&](std::string_view) { begin_part(); }));
  const engine::ModelInfo& info = model->info();
  PictureSpec spec;
  spec.prompt = "a circle";
  spec.width = std::min(info.default_width, kLargestSide) / info.size_multiple * info.size_multiple;
  spec.height =
      std::min(info.default_height, kLargestSide) / info.size_multiple * info.size_multiple;
  spec.steps = 1;
  ASSIGN_OR_RETURN(const std::unique_ptr<engine::Run> run, model->Start(spec));
  const UnitPace::Shape shape{name, int64_t{spec.width} * spec.height};
  while (run->Next().kind != engine::UnitKind::kDone) {
    units_.Begin(kName, pace_.Stall(shape, run->Next()));
    RETURN_IF_ERROR(run->Advance());
  }
  return OkStatus();
}

}  // namespace phasor::worker
