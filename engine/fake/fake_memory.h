// Memory that the fake engine plays: a device of so many bytes, on which a model's weights are
// wholly (FP16_FULL) or not at all (SEQUENTIAL_OFFLOAD), and a picture takes bytes by its pixels.
// One thread, the executor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engine/api/engine.h"

namespace phasor::engine {

struct FakeMemory {
  uint64_t capacity = 0;     // bytes; 0: no memory is played
  uint64_t model_bytes = 0;  // of each model's weights
  uint64_t fragmented = 0;   // that are free only in pieces which nothing fits in
  uint64_t pixel_bytes = 0;  // that each pixel of a picture takes while it is drawn
};

// What all models of an engine share.
struct FakeDevice {
  FakeMemory memory;
  uint64_t used = 0;
};

// One model's weights, on the device or not.
class FakeResidence {
 public:
  explicit FakeResidence(std::shared_ptr<FakeDevice> device) : device_(std::move(device)) {}
  ~FakeResidence() { Leave(); }
  FakeResidence(const FakeResidence&) = delete;
  FakeResidence& operator=(const FakeResidence&) = delete;

  // RESOURCE_EXHAUSTED, and nothing has changed: `activations` more don't fit, with the weights
  // where the strategy wants them.
  Status Fit(Strategy strategy, uint64_t activations);
  void Leave();
  // Whether the weights that computed last are another phase's.
  bool Enters(UnitKind phase) { return std::exchange(phase_, phase) != phase; }

  uint64_t held() const { return held_; }
  const FakeMemory& memory() const { return device_->memory; }
  uint64_t ActivationsOf(const PictureSpec& spec) const;
  ModelPlan Plan(const PictureSpec& spec) const;

 private:
  const std::shared_ptr<FakeDevice> device_;
  uint64_t held_ = 0;
  UnitKind phase_ = UnitKind::kDone;
};

// Of a device without a model; empty where no memory is played.
DeviceReport ReportOf(const FakeDevice& device);

}  // namespace phasor::engine
