#include "engine/calibration/measure.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace phasor::engine {
namespace {

constexpr int kSteps = 2;
// A unit takes longest when it is the first of its shape: kernels are chosen, weights are packed.
constexpr int kRuns = 2;

// The plan by which a shape can be measured with whole networks on the device.
std::optional<ResidencyPlan> WholeNetworks(const ModelPlan& plan) {
  for (const ResidencyPlan& one : plan.strategies) {
    const bool whole = one.strategy == Strategy::kFull || one.strategy == Strategy::kCpuOffload;
    if (whole && one.form == WeightForm::kPlain && one.FitsIn(plan.budget)) return one;
  }
  return std::nullopt;
}

uint64_t WeightsIn(const ResidencyPlan& plan, UnitKind phase) {
  uint64_t bytes = 0;
  if (const PlannedPhase* planned = plan.Of(phase)) {
    for (const PlannedPart& part : planned->parts) bytes += part.bytes;
  }
  return bytes;
}

uint64_t Beside(uint64_t bytes, uint64_t weights) { return bytes - std::min(bytes, weights); }

StatusOr<std::vector<UnitRecord>> Draw(Model& model, const PictureSpec& spec, Strategy strategy,
                                       const MeasureOptions& options) {
  RunOptions how;
  how.strategy = std::string(ToString(strategy));
  ASSIGN_OR_RETURN(const std::unique_ptr<Run> run, model.Start(spec, how));
  while (run->Next().kind != UnitKind::kDone) {
    if (options.stop()) return Cancelled("measuring was stopped");
    RETURN_IF_ERROR(run->Advance());
  }
  const RunReport report = run->Report();
  if (!report.degradations.empty()) {
    return ResourceExhausted("memory ran out in between: " + report.degradations.back().reason);
  }
  return report.units;
}

// The last unit of each phase.
std::vector<UnitRecord> LastOfEach(const std::vector<UnitRecord>& units) {
  std::vector<UnitRecord> last;
  for (const UnitRecord& unit : units) {
    if (!last.empty() && last.back().kind == unit.kind) last.pop_back();
    last.push_back(unit);
  }
  return last;
}

class Measurement {
 public:
  Measurement(Model& model, const MeasureOptions& options) : model_(model), options_(options) {}

  Status MeasureSide(int side) {
    PictureSpec spec = options_.spec;
    spec.width = spec.height = side;
    spec.steps = kSteps;
    spec.images = 1;
    for (const bool guidance : {true, false}) {
      spec.guidance_scale = guidance ? std::max(options_.spec.guidance_scale, 2.0) : 1;
      RETURN_IF_ERROR(MeasureShape(spec));
    }
    return OkStatus();
  }

  // What a step takes longer by whose layers come one by one, at the smallest size.
  Status MeasureFetching() {
    if (!smallest_) return ResourceExhausted("no size fits the device with whole networks");
    ASSIGN_OR_RETURN(const std::vector<UnitRecord> units,
                     Draw(model_, smallest_->spec, Strategy::kSequentialOffload, options_));
    ASSIGN_OR_RETURN(const ModelPlan plan, model_.Plan(smallest_->spec));
    const uint64_t bytes = StreamedBytes(plan);
    for (const UnitRecord& unit : LastOfEach(units)) {
      if (unit.kind != UnitKind::kStep || bytes == 0) continue;
      const double longer = unit.seconds - smallest_->step_seconds;
      result_.fetch_seconds_per_byte = std::max(0.0, longer / static_cast<double>(bytes));
    }
    return OkStatus();
  }

  Calibration&& result() && { return std::move(result_); }

 private:
  struct Smallest {
    PictureSpec spec;
    double step_seconds = 0;
  };

  Status MeasureShape(const PictureSpec& spec) {
    ASSIGN_OR_RETURN(const ModelPlan plan, model_.Plan(spec));
    const std::optional<ResidencyPlan> how = WholeNetworks(plan);
    const std::string size = std::to_string(spec.width) + "x" + std::to_string(spec.height);
    if (!how) {
      options_.on_skip(size + " does not fit the device with whole networks and is left out");
      return OkStatus();
    }
    std::vector<UnitRecord> units;
    for (int run = 0; run < kRuns; ++run) {
      ASSIGN_OR_RETURN(units, Draw(model_, spec, how->strategy, options_));
    }
    for (const UnitRecord& unit : LastOfEach(units)) Take(unit, *how, spec);
    return OkStatus();
  }

  void Take(const UnitRecord& unit, const ResidencyPlan& how, const PictureSpec& spec) {
    MeasuredUnit measured;
    measured.shape = {unit.kind, spec.width, spec.height, spec.guidance_scale > 1};
    measured.expected_bytes = Beside(how.peak_bytes(unit.kind), WeightsIn(how, unit.kind));
    measured.counted_bytes = Beside(unit.peak.total(), unit.peak.of(MemoryKind::kWeights));
    measured.seconds = unit.seconds;
    if (unit.kind == UnitKind::kStep && !smallest_) smallest_ = Smallest{spec, unit.seconds};
    options_.on_unit(measured);
    result_.units.push_back(measured);
  }

  // Of the parts that a step of SEQUENTIAL_OFFLOAD brings over, as FP16_FULL holds them.
  static uint64_t StreamedBytes(const ModelPlan& plan) {
    const PlannedPhase *whole = nullptr, *streamed = nullptr;
    for (const ResidencyPlan& one : plan.strategies) {
      if (one.form != WeightForm::kPlain) continue;
      if (one.strategy == Strategy::kFull) whole = one.Of(UnitKind::kStep);
      if (one.strategy == Strategy::kSequentialOffload) streamed = one.Of(UnitKind::kStep);
    }
    if (whole == nullptr || streamed == nullptr) return 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < whole->parts.size() && i < streamed->parts.size(); ++i) {
      if (streamed->parts[i].placement == Placement::kStreamed) bytes += whole->parts[i].bytes;
    }
    return bytes;
  }

  Model& model_;
  const MeasureOptions& options_;
  Calibration result_;
  std::optional<Smallest> smallest_;
};

}  // namespace

StatusOr<Calibration> Measure(Model& model, const MeasureOptions& options) {
  Measurement measurement(model, options);
  for (const int side : options.sides) RETURN_IF_ERROR(measurement.MeasureSide(side));
  RETURN_IF_ERROR(measurement.MeasureFetching());
  return std::move(measurement).result();
}

std::vector<int> SidesBetween(int low, int high) {
  std::vector<int> sides;
  for (int side = low; side < high; side *= 2) sides.push_back(side);
  sides.push_back(high);
  return sides;
}

}  // namespace phasor::engine
