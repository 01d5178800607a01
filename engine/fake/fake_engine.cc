#include "engine/fake/fake_engine.h"

#include <filesystem>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "engine/api/check_spec.h"
#include "engine/api/schedulers.h"
#include "engine/fake/fake_run.h"
#include "engine/fake/fault_player.h"

namespace phasor::engine {
namespace {

constexpr size_t kMaxIndexBytes = 1 << 20;
constexpr int kDefaultSize = 128;  // pixels

class FakeModel final : public Model {
 public:
  FakeModel(ModelInfo info, std::shared_ptr<const FakeOptions> options,
            std::shared_ptr<FakeDevice> device)
      : info_(std::move(info)),
        options_(std::move(options)),
        residence_(std::make_shared<FakeResidence>(std::move(device))) {}

  const ModelInfo& info() const override { return info_; }

  StatusOr<std::unique_ptr<Run>> Start(const PictureSpec& spec,
                                       const RunOptions& options) override {
    RETURN_IF_ERROR(CheckSpec(spec, info_));
    RETURN_IF_ERROR(ParseFaultDirectives(spec.prompt).status());
    Strategy strategy = Strategy::kFull;
    if (residence_->memory().capacity > 0) {
      const auto asked = ParseStrategy(options.strategy.empty() ? "AUTO" : options.strategy);
      if (!asked.ok()) return Annotate(asked.status(), "strategy");
      if (asked->form != WeightForm::kPlain) {
        return InvalidArgument("strategy: must be one of those that are played, got " +
                               options.strategy);
      }
      strategy = asked->strategy.value_or(residence_->Plan(spec).chosen.residency.strategy);
    }
    return std::unique_ptr<Run>(std::make_unique<FakeRun>(
        spec, info_, options_, FakeRun::Memory{residence_, strategy, options.make_room}));
  }

  StatusOr<ModelPlan> Plan(const PictureSpec& spec) const override {
    if (residence_->memory().capacity == 0) return Model::Plan(spec);
    return residence_->Plan(spec);
  }

  std::vector<PartUse> OnDevice() const override {
    if (residence_->held() == 0) return {};
    return {{"weights", residence_->held()}};
  }
  void LeaveDevice() override { residence_->Leave(); }

 private:
  const ModelInfo info_;
  const std::shared_ptr<const FakeOptions> options_;
  const std::shared_ptr<FakeResidence> residence_;
};

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(FakeOptions options)
      : options_(std::make_shared<const FakeOptions>(std::move(options))),
        device_(std::make_shared<FakeDevice>(FakeDevice{options_->memory})) {}

  StatusOr<std::shared_ptr<Model>> Load(const std::string& directory,
                                        const LoadProgress& on_part) override {
    const std::filesystem::path path(directory);
    ASSIGN_OR_RETURN(const std::string index, ReadFile(path / "model_index.json", kMaxIndexBytes));
    ModelInfo info;
    info.name = (path.has_filename() ? path : path.parent_path()).filename();
    info.family = "fake";
    info.digest = Sha256Hex(index);
    info.default_width = info.default_height = kDefaultSize;
    for (const SchedulerName& name : SchedulerNames()) {
      const std::string class_name(name.class_name);
      if (info.schedulers.empty() || info.schedulers.back() != class_name) {
        info.schedulers.push_back(class_name);
      }
    }
    for (int part = 0; part < kFakeModelParts; ++part) {
      if (options_->load_time > Millis(0)) options_->sleep(options_->load_time);
      on_part("part " + std::to_string(part));
    }
    info.weight_bytes = options_->memory.model_bytes;
    return std::shared_ptr<Model>(std::make_shared<FakeModel>(std::move(info), options_, device_));
  }

  std::string Versions() const override { return "fake engine 1"; }
  DeviceReport ReportDevice() const override { return ReportOf(*device_); }

 private:
  const std::shared_ptr<const FakeOptions> options_;
  const std::shared_ptr<FakeDevice> device_;
};

}  // namespace

std::function<Status(const PictureSpec&, const Unit&)> FailNthUnit(int n, Status status) {
  return [n, status = std::move(status), calls = 0](const PictureSpec&, const Unit&) mutable {
    return ++calls == n ? status : OkStatus();
  };
}

std::unique_ptr<Engine> MakeFakeEngine(FakeOptions options) {
  if (!options.sleep) {
    options.sleep = [](Millis time) { std::this_thread::sleep_for(time); };
  }
  // Both hooks see each unit; the caller's goes first.
  options.before_unit = [hook = std::move(options.before_unit),
                         player = std::make_shared<FaultPlayer>(options.sleep)](
                            const PictureSpec& spec, const Unit& unit) -> Status {
    if (hook) RETURN_IF_ERROR(hook(spec, unit));
    return player->BeforeUnit(spec, unit);
  };
  return std::make_unique<FakeEngine>(std::move(options));
}

}  // namespace phasor::engine
