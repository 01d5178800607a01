#include "engine/runtime/engine_impl.h"

#include <sched.h>

#include <utility>

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/config/model_card.h"
#include "engine/api/check_spec.h"
#include "engine/calibration/calibration_file.h"
#include "engine/cuda/compute_policy.h"
#include "engine/cuda/device_choice.h"
#include "engine/device/counted_memory.h"
#include "engine/runtime/dtype.h"
#include "engine/runtime/families.h"
#include "engine/runtime/guard.h"
#include "engine/runtime/kernel_bits.h"
#include "engine/runtime/make_engine.h"
#include "engine/runtime/processor.h"
#include "engine/runtime/run_impl.h"
#include "engine/runtime/unit_costs.h"

namespace phasor::engine {
namespace {

constexpr size_t kMaxIndexBytes = 1 << 20;
constexpr int kMaxThreads = 1024;
// Pixels: what joins without a gap, as diffusers computes it.
constexpr int kSmallestTile = 64, kTileUnit = 32;
class ModelImpl final : public Model {
 public:
  ModelImpl(ModelInfo info, CalibrationKey calibration_key, RunEnvironment environment)
      : info_(std::move(info)),
        calibration_key_(std::move(calibration_key)),
        environment_(std::move(environment)) {}

  const ModelInfo& info() const override { return info_; }

  StatusOr<std::unique_ptr<Run>> Start(const PictureSpec& spec,
                                       const RunOptions& options) override {
    RETURN_IF_ERROR(CheckSpec(spec, info_));
    RunEnvironment environment = environment_;
    if (!options.strategy.empty()) {
      const auto strategy = ParseStrategy(options.strategy);
      if (!strategy.ok()) return Annotate(strategy.status(), "strategy");
      environment.strategy = *strategy;
    }
    environment.make_room = options.make_room;
    return RunImpl::Make(std::move(environment), spec);
  }

  StatusOr<ModelPlan> Plan(const PictureSpec& spec) const override {
    RETURN_IF_ERROR(CheckSpec(spec, info_));
    RETURN_IF_ERROR(environment_.pipeline->Check(spec));
    ModelPlan plan = PlanModel(InputFor(spec));
    plan.warnings = environment_.warnings;
    return plan;
  }

  StatusOr<LargestSquares> Largest(const PictureSpec& spec) const override {
    RETURN_IF_ERROR(CheckSpec(spec, info_));
    RETURN_IF_ERROR(environment_.pipeline->Check(spec));
    return FindLargest(InputFor(spec));
  }

  std::vector<PartUse> OnDevice() const override {
    std::vector<PartUse> parts;
    for (auto& [name, bytes] : environment_.residency->Held()) parts.push_back({name, bytes});
    return parts;
  }
  void LeaveDevice() override { environment_.residency->Leave(); }

  StatusOr<std::string> Keep(const Calibration& calibration) const override {
    return WriteCalibration(calibration_key_, calibration);
  }

 private:
  PlanInput InputFor(const PictureSpec& spec) const {
    return {*environment_.pipeline, *environment_.residency, *environment_.calibration, spec,
            environment_.strategy.form};
  }

  const ModelInfo info_;
  const CalibrationKey calibration_key_;
  const RunEnvironment environment_;
};

int UsableCores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

std::string LibraryVersions() {
  return "LibTorch " TORCH_VERSION ", " + at::get_mkldnn_version() + ", " + at::get_mkl_version();
}

// Process-wide settings. The thread's denormal mode is inherited by the pool it starts.
void ConfigureLibTorch(int threads) {
  at::globalContext().setFlushDenormal(true);
  at::set_num_threads(threads);
  if (at::get_num_interop_threads() != 1) at::set_num_interop_threads(1);
  constexpr bool kDeterministic = true, kWarnOnly = false;
  at::globalContext().setDeterministicAlgorithms(kDeterministic, kWarnOnly);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}

at::SDPBackend BackendOf(AttentionKernel kernel) {
  switch (kernel) {
    case AttentionKernel::kFlash:
      return at::SDPBackend::flash_attention;
    case AttentionKernel::kEfficient:
      return at::SDPBackend::efficient_attention;
    case AttentionKernel::kMath:
      return at::SDPBackend::math;
    case AttentionKernel::kCudnn:
      return at::SDPBackend::cudnn_attention;
  }
  return at::SDPBackend::error;
}

// Process-wide as well: which kernels compute, and by the same ones every time.
void ConfigureKernels(const Compute& compute) {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(compute.tf32);
  context.setAllowTF32CuDNN(compute.tf32);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  const AttentionOrder& attention = compute.attention;
  context.setSDPUseFlash(attention.Allows(AttentionKernel::kFlash));
  context.setSDPUseMemEfficient(attention.Allows(AttentionKernel::kEfficient));
  context.setSDPUseMath(attention.Allows(AttentionKernel::kMath));
  context.setSDPUseCuDNN(attention.Allows(AttentionKernel::kCudnn));
  std::vector<int64_t> order;
  for (const AttentionKernel kernel : attention.order) {
    order.push_back(static_cast<int64_t>(BackendOf(kernel)));
  }
  order.push_back(static_cast<int64_t>(at::SDPBackend::overrideable));
  context.setSDPPriorityOrder(order);
}

// A card, if the name is one's or "auto" and there is one; else null. Before anything else is asked
// of LibTorch (LoadCudaBackend).
StatusOr<std::shared_ptr<Device>> OpenCard(const EngineOptions& options) {
  ASSIGN_OR_RETURN(const ChosenDevice chosen, ChooseDevice(options.device));
  if (!chosen.card) return nullptr;
  const auto open = [&] {
    return MakeDevice(chosen.name, options.vram_bytes, LibraryBytes(options.compute));
  };
  ASSIGN_OR_RETURN(std::unique_ptr<Device> card, Guard(open));
  return std::shared_ptr<Device>(std::move(card));
}

// How this process computes: on a card nothing depends on the processor, whose kernels are sampled
// otherwise.
EngineFacts FactsOf(const Device* card, const Dtype& dtype, int threads, const Compute& compute) {
  EngineFacts facts{"cpu", dtype.name, threads, LibraryVersions()};
  facts.compute = Describe(compute);
  if (card == nullptr) {
    facts.processor = DescribeProcessor(dtype.type) + ", bits " + KernelBits();
    return facts;
  }
  facts.device = card->kernels();
  facts.threads = 0;
  facts.processor = card->Description();
  return facts;
}

StatusOr<nlohmann::json> ReadIndex(const std::string& directory) {
  const std::string path = directory + "/model_index.json";
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxIndexBytes));
  nlohmann::json index = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!index.is_object()) return DataLoss(path + ": is not a JSON object");
  return index;
}

// What a calibration holds for.
std::string MachineOf(const EngineFacts& facts) {
  return facts.device + ", " + facts.dtype + ", " + std::to_string(facts.threads) + " threads, " +
         facts.versions + ", " + facts.processor;
}

// Empty where there is none, or one that can't be believed, which is told.
Calibration CalibrationOf(const CalibrationKey& key, bool pass_over,
                          std::vector<std::string>* warnings) {
  if (pass_over) return {};
  StatusOr<std::optional<Calibration>> read = ReadCalibration(key);
  if (!read.ok()) {
    warnings->push_back("what was measured of this model is not used: " + Message(read.status()));
    return {};
  }
  return read->value_or(Calibration{});
}

Status CheckTile(int pixels) {
  if (pixels == 0 || (pixels >= kSmallestTile && pixels % kTileUnit == 0)) return OkStatus();
  return InvalidArgument("vae_tile: must be 0 or a multiple of " + std::to_string(kTileUnit) +
                         " from " + std::to_string(kSmallestTile) + " on, got " +
                         std::to_string(pixels));
}

}  // namespace

EngineImpl::EngineImpl(Parts parts, EngineOptions options, std::shared_ptr<Device> device,
                       const Clock& clock)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      device_(std::move(device)),
      clock_(clock) {}

StatusOr<std::shared_ptr<Model>> EngineImpl::Load(const std::string& directory,
                                                  const LoadProgress& on_part) {
  StatusOr<std::shared_ptr<Model>> loaded = Guard([&] { return LoadGuarded(directory, on_part); });
  if (loaded.ok() || Message(loaded.status()).find(directory) != std::string::npos) return loaded;
  return Annotate(loaded.status(), "loading " + directory);
}

StatusOr<std::shared_ptr<Model>> EngineImpl::LoadGuarded(const std::string& directory,
                                                         const LoadProgress& on_part) {
  const SteadyTime begin = clock_.Steady();
  PipelineSource source;
  source.directory = directory;
  source.cache_directory = options_.cache_directory;
  source.dtype = parts_.dtype;
  source.on_part = on_part;
  ASSIGN_OR_RETURN(source.index, ReadIndex(directory));
  ASSIGN_OR_RETURN(source.card, config::ReadModelCard(directory));
  if (!options_.variant.empty()) source.card.variant = options_.variant;
  ASSIGN_OR_RETURN(std::shared_ptr<Pipeline> pipeline, LoadPipeline(source));
  if (!parts_.channels_last) {
    for (const ModelPart& part : pipeline->parts()) {
      part.weights->SetLayout(at::MemoryFormat::Contiguous);
    }
  }
  auto residency = std::make_shared<Residency>(
      pipeline->parts(), device_, clock_,
      QuantisedSource{options_.cache_directory, pipeline->info().digest, ""});
  RETURN_IF_ERROR(
      residency->Bring(parts_.strategy.form, [&] { on_part("quantised weights"); }).status());
  // Where a run begins. On a device with a bound AUTO waits for the run's shape.
  const bool bounded = device_->Memory().capacity > 0;
  if (parts_.strategy.strategy || !bounded) {
    const Strategy strategy = parts_.strategy.strategy.value_or(Strategy::kFull);
    residency->Enter(PlanResidency(strategy, residency->Sizes(parts_.strategy.form),
                                   {{UnitKind::kEncode, {}}}, residency->Budget()),
                     UnitKind::kEncode);
  }
  ModelInfo info = pipeline->info();
  info.load_seconds = SecondsBetween(begin, clock_.Steady());
  const CalibrationKey key{options_.cache_directory, info.digest, MachineOf(parts_.facts)};
  std::vector<std::string> warnings;
  auto calibration =
      std::make_shared<const Calibration>(CalibrationOf(key, options_.uncalibrated, &warnings));
  RunEnvironment environment{
      std::move(pipeline), calibration,   std::make_shared<UnitCosts>(calibration),
      parts_.facts,        device_,       std::move(residency),
      parts_.strategy,     options_.cuts, &clock_};
  if (options_.embedding_cache_bytes > 0) {
    environment.embeddings = std::make_shared<EmbeddingCache>(options_.embedding_cache_bytes);
  }
  environment.warnings = std::move(warnings);
  return std::shared_ptr<Model>(
      std::make_shared<ModelImpl>(std::move(info), key, std::move(environment)));
}

std::string EngineImpl::Versions() const {
  const EngineFacts& facts = parts_.facts;
  return facts.versions + ", " + facts.processor +
         (facts.compute.empty() ? "" : ", " + facts.compute);
}

DeviceReport EngineImpl::ReportDevice() const {
  DeviceReport report{std::string(device_->name()), device_->Memory(), options_.strategy, {}};
  for (const Strategy strategy : kStrategies) report.strategies.emplace_back(ToString(strategy));
  for (const WeightForm form : {WeightForm::kFp8, WeightForm::kNf4}) {
    report.strategies.push_back(NameOf(Strategy::kFull, form));
  }
  return report;
}

StatusOr<std::unique_ptr<Engine>> MakeEngine(const EngineOptions& options, const Clock& clock) {
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return InvalidArgument("threads: must be between 0 and " + std::to_string(kMaxThreads) +
                           ", got " + std::to_string(options.threads));
  }
  RETURN_IF_ERROR(CheckTile(options.cuts.vae_tile));
  const auto strategy = ParseStrategy(options.strategy);
  if (!strategy.ok()) return Annotate(strategy.status(), "strategy");
  CountedMemory::Get();  // before any tensor is made
  ASSIGN_OR_RETURN(std::shared_ptr<Device> device, OpenCard(options));
  ASSIGN_OR_RETURN(const Dtype dtype, device == nullptr
                                          ? ParseDtype(options.dtype)
                                          : ParseDtype(options.dtype, *device->card()));
  ASSIGN_OR_RETURN(
      const Compute compute,
      ChooseCompute(options.compute, device == nullptr ? nullptr : device->card(), dtype.name));
  const int threads = options.threads > 0 ? options.threads : UsableCores();
  // What a simulated device has to hold is models, not this.
  const StatusOr<EngineFacts> facts = Guard([&]() -> StatusOr<EngineFacts> {
    ConfigureLibTorch(threads);
    ConfigureKernels(compute);
    return FactsOf(device.get(), dtype, threads, compute);
  });
  if (!facts.ok()) return Annotate(facts.status(), "starting the engine");
  if (device == nullptr) {
    // A bound of a card that there is not.
    const bool automatic = options.device == "auto";
    ASSIGN_OR_RETURN(
        device, MakeDevice(automatic ? "cpu" : options.device, automatic ? 0 : options.vram_bytes,
                           LibraryBytes(options.compute)));
  }
  if (options.fail_one_in > 0 && options.device != "sim") {
    return InvalidArgument("fail_one_in: only on the device sim");
  }
  CountedMemory::Get().FailAtRandom(options.fail_one_in);
  EngineOptions kept = options;
  // Where device and host are one, that is so anyway.
  if (device->host_memory() == HostMemory::kShared) kept.cuts.decode_on_host = false;
  const EngineImpl::Parts parts{*facts, dtype.type, compute.channels_last, *strategy};
  return std::unique_ptr<Engine>(
      std::make_unique<EngineImpl>(parts, std::move(kept), std::move(device), clock));
}

}  // namespace phasor::engine
