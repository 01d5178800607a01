// Which files hold a component's weights, and where each of its tensors lies: one safetensors
// file, or shards with an index. No LibTorch; the header rules are in safetensors_header.h.
//
// Thread-safe (values). The mappings are shared: whoever holds a TensorLocation's mapping keeps
// the bytes alive. Errors name the file and the reason: NOT_FOUND, or DATA_LOSS for a file that
// breaks a rule.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/status.h"
#include "engine/weights/safetensors_header.h"

namespace phasor::engine {

// Who wrote the component: decides file names and which of file and index wins.
enum class WeightLayout {
  kDiffusers,     // diffusion_pytorch_model.*; the index first, then the single file
  kTransformers,  // model.*; the single file first, then the index
};

struct TensorLocation {
  SafetensorsEntry entry;
  std::shared_ptr<MappedFile> mapping;
  uint8_t* data = nullptr;  // inside the mapping; may be unaligned
};

struct WeightFiles {
  std::vector<std::string> paths;  // every file that is read, sorted
  std::map<std::string, TensorLocation> tensors;
  uint64_t bytes = 0;  // of all files
};

// Maps one file.
StatusOr<WeightFiles> OpenWeightFile(const std::string& path);

// Finds, checks and maps the files in a component's folder. `variant` ("fp16") is preferred where
// the folder has it ("model.fp16.safetensors"); else the plain files are taken, and where there are
// none the only variant there is. INVALID_ARGUMENT if several are there and none was chosen.
StatusOr<WeightFiles> OpenWeightFolder(const std::string& directory, WeightLayout layout,
                                       const std::string& variant = "");

}  // namespace phasor::engine
