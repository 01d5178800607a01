// A component's weights while its layers are built: each layer asks for its parameters under the
// checkpoint's exact keys and keeps the handles it gets.
//
// Errors stick: a missing tensor or a wrong shape is remembered, the layer gets an undefined
// handle, and Finish() names them all. So constructors must not compute with weights; what is
// derived from them (packed forms) is made on first use.
//
// One thread. Handles and their sets outlive the store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "engine/tensor/torch.h"
#include "engine/weights/weight_files.h"
#include "engine/weights/weight_set.h"

namespace phasor::engine {

struct WeightOptions {
  at::ScalarType dtype = at::kFloat;  // every floating tensor is given in it
  // Turns a file's name into the name that layers ask for: old and foreign checkpoints.
  std::function<std::string(const std::string&)> rename;
  // Names that nobody has to ask for; a leading or trailing '*' matches any text.
  std::vector<std::string> ignore;
  // Which of the component's parts that are needed apart from one another a weight belongs to;
  // empty: it is one part, without a name.
  std::function<std::string(const std::string&)> part = {};
  // Whether a matrix or a convolution may be stored quantised; empty: none.
  std::function<bool(const std::string&)> quantise = {};
};

// How a layer uses a weight.
enum class WeightUse { kPlain, kConvolution };

class WeightStore {
 public:
  // `directory` is a component's folder. NOT_FOUND or DATA_LOSS names the file.
  // `variant` as in OpenWeightFolder.
  static StatusOr<WeightStore> Open(const std::string& directory, WeightLayout layout,
                                    WeightOptions options, const std::string& variant = "");
  WeightStore(WeightFiles files, std::string label, WeightOptions options);

  // [a, b, 1, 1] and [a, b] are the same shape. The tensor is contiguous.
  Weight Get(const std::string& name, at::IntArrayRef shape, WeightUse use = WeightUse::kPlain);
  bool Has(const std::string& name) const { return tensors_.contains(name); }

  // The first problems and their number: missing tensors, wrong shapes.
  Status Finish() const;
  // A sentence about the tensors that nobody asked for, as diffusers warns of them: files hold
  // layers that a shortened config leaves out. Empty if there are none.
  std::string Surplus() const;

  // What was asked for, by part.
  const std::map<std::string, std::shared_ptr<WeightSet>>& sets() const { return sets_; }

  const WeightFiles& files() const { return files_; }
  at::ScalarType dtype() const { return options_.dtype; }

 private:
  WeightFiles files_;
  std::string label_;  // the folder, for messages
  WeightOptions options_;
  std::map<std::string, TensorLocation> tensors_;  // by the name asked for
  std::map<std::string, Weight> given_;
  std::map<std::string, std::shared_ptr<WeightSet>> sets_;
  std::vector<std::string> problems_;
};

// A store and a prefix: what a layer's constructor takes. Cheap to copy; the store must outlive
// it, so layers do not keep it.
class WeightScope {
 public:
  explicit WeightScope(WeightStore& store, std::string prefix = "")
      : store_(&store), prefix_(std::move(prefix)) {}

  WeightScope operator/(std::string_view name) const {
    return WeightScope(*store_, prefix_ + std::string(name) + ".");
  }
  WeightScope operator/(size_t index) const { return *this / std::to_string(index); }

  Weight Get(const std::string& name, at::IntArrayRef shape,
             WeightUse use = WeightUse::kPlain) const {
    return store_->Get(prefix_ + name, shape, use);
  }
  at::ScalarType dtype() const { return store_->dtype(); }

 private:
  WeightStore* store_;
  std::string prefix_;  // empty or ends with a dot
};

}  // namespace phasor::engine
