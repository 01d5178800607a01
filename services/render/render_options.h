// phasor-render's command line. What is absent comes from the model card later.
// Plain values; ParseOptions has no state.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "common/base/status.h"
#include "common/picture/asked.h"
#include "engine/api/engine.h"

namespace phasor::render {

enum class ProgressMode { kAuto, kNone, kJson };

struct RenderOptions {
  std::string model;  // directory
  picture::Asked asked;
  engine::EngineOptions engine;
  std::string preset;
  bool plan = false;     // tell what a run would take instead of running
  bool json = false;     // as a line of JSON
  bool profile = false;  // measure the model on this machine instead of running

  std::string output = "out.png";
  std::string dump_latents;     // file; empty: not asked for, here and below
  std::string dump_embeddings;  // file
  std::string latents;          // file to read the initial noise from
  std::string checkpoint_dir;
  std::optional<int> stop_after_step;
  std::string resume;       // file
  std::string report;       // file
  std::string memory_plot;  // file
  std::string preview_dir;
  ProgressMode progress = ProgressMode::kAuto;
};

// nullopt: --help or --version was asked for and has been written to `out`. INVALID_ARGUMENT names
// the option. A flag given twice takes its last value.
StatusOr<std::optional<RenderOptions>> ParseOptions(int argc, const char* const* argv,
                                                    std::ostream& out);

}  // namespace phasor::render
