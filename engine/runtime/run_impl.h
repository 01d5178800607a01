// The run: a state machine over a family's pipeline, one sampler per image.
//
//   Encode -> Step x N -> Decode x images -> Done
//
// A unit either happens wholly or leaves the state from before. Images are denoised one by one
// (guidance as one batch of two), so their bytes do not depend on how many there are.
// One thread. Keeps the pipeline alive.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/engine.h"
#include "engine/calibration/calibration.h"
#include "engine/device/device.h"
#include "engine/memory/residency.h"
#include "engine/runtime/embedding_cache.h"
#include "engine/runtime/fingerprint.h"
#include "engine/runtime/image_sampler.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/run_memory.h"
#include "engine/runtime/unit_costs.h"

namespace phasor::engine {

// What all runs of a model share.
struct RunEnvironment {
  std::shared_ptr<Pipeline> pipeline;
  std::shared_ptr<const Calibration> calibration;  // empty: nothing was measured
  std::shared_ptr<UnitCosts> costs;
  EngineFacts facts;
  std::shared_ptr<Device> device;
  std::shared_ptr<Residency> residency;  // of the pipeline's parts
  StrategyChoice strategy = {};
  Cuts cuts;                                             // from the start
  const Clock* clock = nullptr;                          // outlives the runs
  std::function<std::string()> make_room = nullptr;      // as RunOptions has it
  std::vector<std::string> warnings = {};                // of this run, beside the pipeline's
  std::shared_ptr<EmbeddingCache> embeddings = nullptr;  // null: none
};

class RunImpl final : public Run, public RunTensors {
 public:
  // `spec` has passed CheckSpec. INVALID_ARGUMENT for what the family or the scheduler can't do.
  static StatusOr<std::unique_ptr<Run>> Make(RunEnvironment environment, const PictureSpec& spec);

  Unit Next() const override;
  Status Advance() override;
  bool SwapsBetweenPhases() const override { return memory_.plan().SwapsBetweenPhases(); }
  bool GoLeaner(const std::string& reason) override { return memory_.GoLeaner(Next(), reason); }
  StatusOr<std::string> Snapshot() const override;
  Status Restore(std::string_view snapshot) override;
  StatusOr<Image> Preview(int index) const override;
  const std::vector<Image>& images() const override { return images_; }
  RunReport Report() const override;
  RunTensors* tensors() override { return this; }

  StatusOr<NamedTensor> Latents() const override;
  StatusOr<std::vector<NamedTensor>> Embeddings() const override;
  Status SetInitialNoise(const NamedTensor& latents) override;

 private:
  RunImpl(RunEnvironment environment, PictureSpec spec, ImageSampler::Settings settings,
          std::vector<ImageSampler> samplers);
  static StatusOr<std::vector<ImageSampler>> MakeSamplers(const ImageSampler::Settings& settings,
                                                          const PictureSpec& spec);
  bool begun() const { return step_ > 0 || conditioning_ != nullptr; }
  int step_count() const;
  void UpdateFingerprint();
  std::string Describe(const Unit& unit) const;
  // `moved_seconds`: what it took to bring the phase's weights.
  Status Do(const Unit& unit, double* moved_seconds);
  Status Encode();
  // Without the text encoder, if its result is known.
  bool Recall();
  bool Remembers() const;
  Status Step(int k);
  Status Decode(int index);
  // What no checkpoint of this run exceeds, in bytes.
  uint64_t MaxCheckpointBytes() const;

  const RunEnvironment environment_;
  const PictureSpec spec_;
  const ImageSampler::Settings settings_;

  std::vector<ImageSampler> samplers_;          // one per image
  std::unique_ptr<Conditioning> conditioning_;  // null before the encode unit
  int step_ = 0;                                // steps done
  std::vector<Image> images_;
  RunMemory memory_;
  std::string initial_noise_;  // SHA-256 of noise that was given; empty: drawn
  std::string identity_;       // of the run whatever is cut on the way: a checkpoint's fingerprint
  RunReport report_;
};

}  // namespace phasor::engine
