#include "engine/weights/weight_store.h"

#include <algorithm>
#include <utility>

#include "engine/weights/safetensors.h"

namespace phasor::engine {
namespace {

constexpr size_t kProblemsNamed = 5;

bool Matches(const std::string& pattern, const std::string& name) {
  if (pattern.starts_with("*")) return name.ends_with(pattern.substr(1));
  if (pattern.ends_with("*")) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return name == pattern;
}

template <typename Shape>
std::string ShapeText(const Shape& shape) {
  std::string text = "[";
  for (const auto dimension : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

// The first few of them, and how many more there are.
std::string FirstOf(const std::vector<std::string>& entries) {
  std::string text;
  for (size_t i = 0; i < std::min(entries.size(), kProblemsNamed); ++i) {
    text += (i == 0 ? "" : "; ") + entries[i];
  }
  if (entries.size() <= kProblemsNamed) return text;
  return text + "; and " + std::to_string(entries.size() - kProblemsNamed) + " more";
}

// A 1x1 convolution is a linear layer; files and configs disagree about the rank.
std::vector<int64_t> WithoutUnitKernel(at::IntArrayRef shape) {
  std::vector<int64_t> plain = shape.vec();
  if (plain.size() == 4 && plain[2] == 1 && plain[3] == 1) plain.resize(2);
  return plain;
}

}  // namespace

StatusOr<WeightStore> WeightStore::Open(const std::string& directory, WeightLayout layout,
                                        WeightOptions options, const std::string& variant) {
  ASSIGN_OR_RETURN(WeightFiles files, OpenWeightFolder(directory, layout, variant));
  return WeightStore(std::move(files), directory, std::move(options));
}

WeightStore::WeightStore(WeightFiles files, std::string label, WeightOptions options)
    : files_(std::move(files)), label_(std::move(label)), options_(std::move(options)) {
  for (const auto& [name, location] : files_.tensors) {
    const std::string renamed = options_.rename ? options_.rename(name) : name;
    if (!tensors_.emplace(renamed, location).second) {
      problems_.push_back("'" + name + "' and another tensor both mean '" + renamed + "'");
    }
  }
}

Weight WeightStore::Get(const std::string& name, at::IntArrayRef shape, WeightUse use) {
  if (const auto known = given_.find(name); known != given_.end()) return known->second;
  Weight& weight = given_[name];
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    problems_.push_back("'" + name + "' " + ShapeText(shape) + " is missing");
    return weight;
  }
  auto view = ViewTensor(found->second);
  if (!view.ok()) {
    problems_.push_back(Message(view.status()));
    return weight;
  }
  if (WithoutUnitKernel(view->sizes()) != WithoutUnitKernel(shape)) {
    problems_.push_back("'" + name + "' has the shape " + ShapeText(view->sizes()) +
                        " where the config asks for " + ShapeText(shape));
    return weight;
  }
  const std::string part = options_.part ? options_.part(name) : "";
  std::shared_ptr<WeightSet>& set = sets_[part];
  if (set == nullptr) set = std::make_shared<WeightSet>(label_ + (part.empty() ? "" : "." + part));
  const bool mapped = view->const_data_ptr() == found->second.data;
  const bool quantises = shape.size() >= 2 && options_.quantise && options_.quantise(name);
  weight =
      set->Add(name, view->view(shape), options_.dtype,
               {.packs = use == WeightUse::kConvolution, .mapped = mapped, .quantises = quantises});
  return weight;
}

Status WeightStore::Finish() const {
  if (problems_.empty()) return OkStatus();
  return InvalidArgument(label_ + ": " + FirstOf(problems_));
}

std::string WeightStore::Surplus() const {
  std::vector<std::string> names;
  for (const auto& [name, _] : tensors_) {
    const auto ignored = [&](const std::string& pattern) { return Matches(pattern, name); };
    if (given_.contains(name) ||
        std::any_of(options_.ignore.begin(), options_.ignore.end(), ignored)) {
      continue;
    }
    names.push_back("'" + name + "'");
  }
  if (names.empty()) return "";
  const bool one = names.size() == 1;
  return label_ + ": the file holds " + std::to_string(names.size()) +
         (one ? " tensor that the config does not ask for and that is"
              : " tensors that the config does not ask for and that are") +
         " not used: " + FirstOf(names);
}

}  // namespace phasor::engine
