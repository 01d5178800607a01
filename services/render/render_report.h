// What --report writes. Plain values; one function to JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/api/engine.h"

namespace phasor::render {

struct RenderedFile {
  std::string path;
  std::string sha256;  // hex, of the file
  uint64_t seed = 0;
};

struct RenderReport {
  std::string status;  // "done", "interrupted" or "failed"
  std::string error;   // empty unless failed
  std::string versions;
  engine::ModelInfo model;
  PictureSpec spec;
  engine::RunReport run;
  double total_seconds = 0;    // from the start of loading
  std::string checkpoint;      // path, empty: none written
  std::string resume_refused;  // why --resume started at step 0; empty: it did not
  std::vector<RenderedFile> images;
};

// Seconds per phase and per step, resident memory, fingerprint and the rest.
nlohmann::ordered_json ToJson(const RenderReport& report);

}  // namespace phasor::render
