// The models of a folder. Thread-safe (no state).
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/config/model_card.h"

namespace phasor::config {

struct ModelFolder {
  std::vector<ModelCard> cards;  // by name
  // A sentence for each folder that looks like a model and was left out, and why.
  // Paths are below the folder.
  std::vector<std::string> left_out = {};
};

// The cards of every sub-directory of `root` that holds a model_index.json, or, where the files may
// be elsewhere, a phasor.yaml alone; of `root` itself if it is a model. A broken card does not stop
// the others, and of several models of one name none is served. NOT_FOUND if there is no model at
// all, the first card's error if all are broken. "NAME=DIRECTORY" is the one model of that
// directory under another name, whatever its card says; INVALID_ARGUMENT if that can be no name.
StatusOr<ModelFolder> ReadModelFolder(const std::string& root,
                                      ModelFiles files = ModelFiles::kHere);

// The same models for a process that runs in another directory.
std::string AbsoluteModels(const std::string& root);

}  // namespace phasor::config
