// `phasor-render --profile`: measures a model on this machine and keeps it in the cache directory,
// where whoever loads the model here finds it. One thread, the engine's owner.
#pragma once

#include <atomic>
#include <ostream>

#include "common/base/status.h"
#include "common/config/model_card.h"
#include "engine/api/engine.h"

namespace phasor::render {

struct ProfileOutput {
  const std::atomic<bool>& stop;  // CANCELLED
  std::ostream& out;              // a line for each unit that was measured, and the file
  std::ostream& err;
};

// Squares from the card's smallest size to the widest side of `spec`.
Status WriteProfile(engine::Model& model, const config::ModelCard& card, const PictureSpec& spec,
                    const ProfileOutput& output);

}  // namespace phasor::render
