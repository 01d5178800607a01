// The engine's public face: what a worker and phasor-render see. No LibTorch type appears here,
// so that everything above also builds with the fake engine.
//
// Threads: an Engine, its Models and their Runs belong to one thread, the executor, which owns
// the device. Only ModelInfo and PictureSpec (plain values) may cross threads.
// Errors: RESOURCE_EXHAUSTED is memory (a lighter plan may help), INVALID_ARGUMENT a bad request
// or configuration, NOT_FOUND / DATA_LOSS an absent or broken file (named), a lost device has a
// mark of its own (engine/api/device_lost.h), OUT_OF_RANGE values that are no finite numbers where
// a picture should come of them, INTERNAL is anything else. What a unit of a run reports begins
// with the phase, e.g. "denoising step 3 of 20, 512x512", before LibTorch's text. No exception
// leaves the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "common/picture/picture_spec.h"
#include "engine/api/compute_options.h"
#include "engine/api/image.h"
#include "engine/api/memory_use.h"
#include "engine/api/unit_kind.h"
#include "engine/memory/cuts.h"
#include "engine/memory/residency_plan.h"

namespace phasor::engine {

// The next piece of work of a run and what it is expected to cost.
struct Unit {
  UnitKind kind = UnitKind::kDone;
  int index = 0;  // of this kind: step 0..count-1, image 0..count-1
  int count = 0;  // units of this kind in the run (PNDM: one more than PictureSpec::steps)
  uint64_t predicted_peak_bytes = 0;  // 0: not known
  double predicted_seconds = 0;       // 0: not known
};

// What a unit took.
struct UnitRecord {
  UnitKind kind = UnitKind::kDone;
  int index = 0;
  double seconds = 0;
  BytesByKind peak = {};  // of the device's memory; 0: not measured
  uint64_t predicted_peak_bytes = 0;
  uint64_t fetched_bytes = 0;  // of weights, ahead of use, beside what was computed
  double waited_seconds = 0;   // for these
  // Before it computed: what its phase does not need left, and what it needs came. 0: nothing did.
  double moved_seconds = 0;
};

// What was made cheaper because a unit ran out of memory, and was then done again alone; or was
// planned in pieces because it would not fit as a whole.
struct Degradation {
  UnitKind kind = UnitKind::kDone;
  int index = 0;
  // From here on: a strategy, a cut, "AGAIN" (engine/memory/ladder.h), or what made room
  // (RunOptions).
  std::string action;
  std::string reason;        // what the unit failed with, or was expected to take
  uint64_t bytes_asked = 0;  // that the unit was expected to take at its peak; 0: not known
  uint64_t bytes_free = 0;   // after it failed; 0: no bound
};

// What a finished (or stopped) run can tell about itself.
struct RunReport {
  std::vector<UnitRecord> units;
  std::string device;                            // "cpu" or "sim"; empty: none (the fake engine)
  uint64_t device_bytes = 0;                     // of memory; 0: no bound
  std::string strategy;                          // that ran last; never AUTO
  std::vector<Degradation> degradations;         // in order
  std::vector<Degradation> degradations_before;  // of the runs that this one goes on from
  double denoiser_seconds = 0;  // inside the network, so loop overhead = steps - this
  std::string fingerprint;
  // Of each picture, as the run that draws it alone has it.
  std::vector<std::string> picture_fingerprints;
  std::string scheduler;              // class name that ran
  bool karras_sigmas = false;         // as it ran, whoever asked for it: request or model
  double eta = 0;                     // as it ran: 0 where the scheduler has none
  std::vector<std::string> warnings;  // for the user, a sentence each, without prompt text
  // Whether the text encoder's result was known from an equal request; nullopt: nobody looked.
  std::optional<bool> embeddings_recalled;
  int resumed_from_step = 0;  // 0: started at the beginning
  bool resumed = false;
};

class RunTensors;

// How a run spends memory. Decides no byte of its pictures, unless by quantised weights.
struct RunOptions {
  std::string strategy = {};  // as EngineOptions has it; empty: the engine's
  // Called when a unit ran out of memory, before the run gets leaner. Gives back what others hold
  // of the device, and says in a word what that was; empty: there was nothing.
  std::function<std::string()> make_room = nullptr;
};

// A resumable job in the engine: Encode, Step x N, Decode x images, Done.
class Run {
 public:
  virtual ~Run() = default;

  virtual Unit Next() const = 0;

  // Does the next unit. If memory runs out, the run goes one rung down (engine/memory/ladder.h) and
  // does the unit again, and fails when there is none. After a failure the state is still the one
  // before the unit, so the same call may be repeated. FAILED_PRECONDITION when the run is done.
  virtual Status Advance() = 0;

  // Goes on with the next leaner strategy, before a unit runs out of memory; `reason` is told among
  // the degradations. False: there is none.
  virtual bool GoLeaner(const std::string& /*reason*/) { return false; }

  // Whether its phases compute with weights that don't all stay on the device, so that runs which
  // go from phase to phase together have to bring them once.
  virtual bool SwapsBetweenPhases() const { return false; }

  // Everything needed to go on elsewhere, at a boundary between units: latents, scheduler
  // history, generator positions, step, fingerprint, SHA-256. FAILED_PRECONDITION before the
  // first step and once decoding has begun.
  virtual StatusOr<std::string> Snapshot() const = 0;

  // Takes the state of a snapshot of the same fingerprint into a fresh run.
  // FAILED_PRECONDITION: another fingerprint. DATA_LOSS: truncated or altered. The run is
  // unchanged after an error and simply starts at step 0.
  virtual Status Restore(std::string_view snapshot) = 0;

  // A cheap picture of the current latents (1/8 of the size), for image `index`.
  virtual StatusOr<Image> Preview(int index) const = 0;

  // The pictures decoded so far, in order.
  virtual const std::vector<Image>& images() const = 0;

  virtual RunReport Report() const = 0;

  // The run's tensors, owned by the run; null where there are none (the fake engine).
  virtual RunTensors* tensors() { return nullptr; }
};

// Named tensors for the golden tests and researchers: fp32, contiguous.
struct NamedTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

struct ModelInfo {
  std::string name;    // the directory's name
  std::string family;  // "sd1"
  std::string digest;  // hex SHA-256 over names, shapes and bytes of the weights
  int default_width = 0;
  int default_height = 0;
  int size_multiple = 8;
  uint64_t weight_bytes = 0;
  double load_seconds = 0;
  std::vector<std::string> schedulers;  // class names that this family runs
};

// How a run is to be computed.
struct RunPlan {
  ResidencyPlan residency;
  Cuts cuts;
};

// What runs of one shape take under each strategy, and what AUTO takes as things stand.
struct ModelPlan {
  MemoryBudget budget;
  std::vector<ResidencyPlan> strategies;   // cheapest first, nothing cut
  std::vector<double> seconds = {};        // that a run by each is expected to take; 0: not known
  std::vector<std::string> warnings = {};  // as RunReport has them
  RunPlan chosen;
};

// Pixels a side of the largest square picture that is expected to fit with the request's other
// settings. 0: none is; the widest there is where nothing bounds it.
struct LargestSquares {
  int whole = 0;
  int in_pieces = 0;
};

// What of a model is on the device.
struct PartUse {
  std::string name;
  uint64_t bytes = 0;
};

// What an engine computes on, and how models may share its memory.
struct DeviceReport {
  std::string name;  // "cpu" or "sim"; empty: none (the fake engine)
  MemoryUse use;
  std::string strategy;                 // of runs that name none
  std::vector<std::string> strategies;  // that it can do
};

struct Calibration;

// A resident model. Runs keep it alive.
class Model {
 public:
  virtual ~Model() = default;
  virtual const ModelInfo& info() const = 0;
  // Checks the spec and prepares a run; computes nothing yet. All values are explicit: defaults
  // come from the model card, above the engine.
  virtual StatusOr<std::unique_ptr<Run>> Start(const PictureSpec& spec,
                                               const RunOptions& options) = 0;
  StatusOr<std::unique_ptr<Run>> Start(const PictureSpec& spec) { return Start(spec, {}); }
  // Moves nothing. UNIMPLEMENTED: this engine has no memory to plan (the fake one).
  virtual StatusOr<ModelPlan> Plan(const PictureSpec& spec) const;
  // As Plan, which it asks for many sizes: for people, not for each run.
  virtual StatusOr<LargestSquares> Largest(const PictureSpec& spec) const;
  // Keeps what was measured of it (engine/calibration) where loading it on this machine finds it;
  // returns the file. UNIMPLEMENTED as Plan, FAILED_PRECONDITION without a cache directory.
  virtual StatusOr<std::string> Keep(const Calibration& calibration) const;
  // Its parts that are on the device, if any.
  virtual std::vector<PartUse> OnDevice() const { return {}; }
  // Takes them off; the next unit of a run brings them back.
  virtual void LeaveDevice() {}
};

// What a researcher may look into or put in place of what the engine would compute.
class RunTensors {
 public:
  virtual ~RunTensors() = default;
  // Final or current latents, NCHW, scaled as the scheduler leaves them.
  virtual StatusOr<NamedTensor> Latents() const = 0;
  // prompt_embeds and negative_prompt_embeds, after the encode unit.
  virtual StatusOr<std::vector<NamedTensor>> Embeddings() const = 0;
  // Replaces the initial noise (before init_noise_sigma); before the first step only.
  virtual Status SetInitialNoise(const NamedTensor& latents) = 0;
};

struct EngineOptions {
  // Or "sim": the CPU with the memory of a card, simulated; "cuda:N"; "auto": the first card there
  // is, else the CPU.
  std::string device = "cpu";
  // Of the simulated device, or of a card what this process may take; 0: as much as it asks for.
  uint64_t vram_bytes = 0;
  // For tests of the simulated device: about one in so many allocations fails. 0: none.
  uint64_t fail_one_in = 0;
  int threads = 0;  // 0: all cores the process may use
  // How weights share the device's memory (engine/memory/strategy.h), or AUTO: for each run the
  // cheapest that is expected to fit, of those that change no picture. "FP8_OPTIMIZED" and
  // "NF4_QUANTIZED" do; "+" and a strategy behind them says where the weights are, too.
  std::string strategy = "AUTO";
  Cuts cuts;  // that every run is computed with, needed or not
  // What the networks compute in: "fp32", or "bf16" or "fp16" where the device multiplies in it;
  // "auto": fp16 on a card that does, else fp32. Latents and schedulers stay in fp32.
  std::string dtype = "auto";
  ComputeOptions compute;  // how they compute beside that
  // Where digests of large weight files, quantised weights and calibrations are kept; empty:
  // nowhere.
  std::string cache_directory;
  // Of what text encoders made of texts, kept for each model on the host; 0: none is.
  uint64_t embedding_cache_bytes = 0;
  bool uncalibrated = false;  // passes over what was measured before, to measure it anew
  // Which of several sets of weights is read, e.g. "fp16"; empty: as each model's card says.
  std::string variant;
};

// Hears of each part of a model as it is done with (a file that was read, the networks), on the
// thread that loads: the sign of life of a load that takes long.
using LoadProgress = std::function<void(std::string_view part)>;

class Engine {
 public:
  virtual ~Engine() = default;
  // Loads a model directory in diffusers' layout. NOT_FOUND / INVALID_ARGUMENT / DATA_LOSS name
  // the file and the reason.
  virtual StatusOr<std::shared_ptr<Model>> Load(const std::string& directory,
                                                const LoadProgress& on_part) = 0;
  StatusOr<std::shared_ptr<Model>> Load(const std::string& directory) {
    return Load(directory, [](std::string_view) {});
  }
  // Human-readable: library versions and what they choose their kernels by on this machine; part
  // of every fingerprint.
  virtual std::string Versions() const = 0;
  virtual DeviceReport ReportDevice() const { return {}; }
};

}  // namespace phasor::engine
