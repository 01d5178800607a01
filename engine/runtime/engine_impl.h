// The LibTorch engine on a device. One thread: the one that made it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/engine.h"
#include "engine/device/device.h"
#include "engine/memory/strategy.h"
#include "engine/runtime/fingerprint.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

class EngineImpl final : public Engine {
 public:
  // What the options came to.
  struct Parts {
    EngineFacts facts;
    at::ScalarType dtype;
    bool channels_last;
    StrategyChoice strategy;
  };
  EngineImpl(Parts parts, EngineOptions options, std::shared_ptr<Device> device,
             const Clock& clock);

  StatusOr<std::shared_ptr<Model>> Load(const std::string& directory,
                                        const LoadProgress& on_part) override;
  std::string Versions() const override;
  DeviceReport ReportDevice() const override;

 private:
  StatusOr<std::shared_ptr<Model>> LoadGuarded(const std::string& directory,
                                               const LoadProgress& on_part);

  const Parts parts_;
  const EngineOptions options_;
  const std::shared_ptr<Device> device_;
  const Clock& clock_;
};

}  // namespace phasor::engine
