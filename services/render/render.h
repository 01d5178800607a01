// One render from options to files: loads the model, runs the units, writes what was asked for.
// One thread, the engine's owner; only `stop` may be set by others (a signal handler).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/engine.h"
#include "services/render/exit_code.h"
#include "services/render/render_options.h"

namespace phasor::render {

struct RenderEnvironment {
  std::function<StatusOr<std::unique_ptr<engine::Engine>>(const engine::EngineOptions&)>
      make_engine;
  const Clock& clock;
  const std::atomic<bool>& stop;
  bool err_is_terminal = false;
  std::ostream& out;
  std::ostream& err;
};

// Writes the paths of the pictures to `out`, errors and warnings to `err`.
ExitCode Render(const RenderOptions& options, const RenderEnvironment& environment);

}  // namespace phasor::render
