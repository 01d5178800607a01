// The fake engine's run: a chain of hashes per image stands for its latents.
// One thread; keeps its model's info and hooks alive by value.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/status.h"
#include "engine/api/engine.h"
#include "engine/fake/fake_engine.h"

namespace phasor::engine {

class FakeRun final : public Run {
 public:
  // How it shares the played memory.
  struct Memory {
    std::shared_ptr<FakeResidence> residence;
    Strategy strategy = Strategy::kFull;
    std::function<std::string()> make_room;
  };
  FakeRun(PictureSpec spec, ModelInfo model, std::shared_ptr<const FakeOptions> options,
          Memory memory);

  Unit Next() const override;
  Status Advance() override;
  bool SwapsBetweenPhases() const override { return options_->swap_time > Millis(0); }
  bool GoLeaner(const std::string& reason) override;
  StatusOr<std::string> Snapshot() const override;
  Status Restore(std::string_view snapshot) override;
  StatusOr<Image> Preview(int index) const override;
  const std::vector<Image>& images() const override { return images_; }
  RunReport Report() const override;

 private:
  Status Fit(const Unit& unit);
  double Swap(const Unit& unit);  // seconds that it took
  bool PlaysMemory() const { return memory_.residence->memory().capacity > 0; }

  const PictureSpec spec_;
  const ModelInfo model_;
  const std::shared_ptr<const FakeOptions> options_;
  const std::string fingerprint_;
  Memory memory_;

  bool encoded_ = false;
  int step_ = 0;
  std::vector<Digest> states_;  // one per image
  std::vector<Image> images_;
  RunReport report_;
};

}  // namespace phasor::engine
