#include "engine/weights/weight_files.h"

#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace phasor::engine {
namespace {

constexpr size_t kMaxIndexBytes = 64 << 20;

Status AddFile(const std::string& path, WeightFiles& files) {
  ASSIGN_OR_RETURN(MappedFile opened, MappedFile::Open(path));
  const auto mapping = std::make_shared<MappedFile>(std::move(opened));
  auto header = ParseSafetensorsHeader(mapping->view());
  if (!header.ok()) return Annotate(header.status(), path);
  for (SafetensorsEntry& entry : header->entries) {
    uint8_t* data = mapping->data() + header->data_start + entry.begin;
    std::string name = entry.name;
    const auto [_, added] =
        files.tensors.try_emplace(std::move(name), TensorLocation{entry, mapping, data});
    if (!added) return DataLoss(path + ": tensor '" + entry.name + "' is in another shard, too");
  }
  files.paths.push_back(path);
  files.bytes += mapping->size();
  return OkStatus();
}

// tensor -> shard, as the index says.
StatusOr<std::map<std::string, std::string>> ReadIndex(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxIndexBytes));
  const auto index = nlohmann::json::parse(text, nullptr, false);
  if (!index.is_object()) return DataLoss(path + ": not a JSON object");
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty()) {
    return DataLoss(path + ": weight_map is missing or empty");
  }
  std::map<std::string, std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string()) return DataLoss(path + ": the shard of '" + tensor + "' is no name");
    const std::string name = shard.get<std::string>();
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
      return DataLoss(path + ": the shard name '" + name + "' is not a plain file name");
    }
    if (!name.ends_with(".safetensors")) {
      return DataLoss(path + ": the shard '" + name + "' is not a safetensors file; convert first");
    }
    shards[tensor] = name;
  }
  return shards;
}

StatusOr<WeightFiles> OpenShards(const std::string& index) {
  ASSIGN_OR_RETURN(const auto shards, ReadIndex(index));
  std::set<std::string> names;
  for (const auto& [_, shard] : shards) names.insert(shard);
  WeightFiles files;
  const std::filesystem::path directory = std::filesystem::path(index).parent_path();
  for (const std::string& name : names) {
    const Status added = AddFile(directory / name, files);
    if (!added.ok()) return Annotate(added, "shard named in " + index);
  }
  for (const auto& [tensor, shard] : shards) {
    const auto found = files.tensors.find(tensor);
    if (found == files.tensors.end()) {
      return DataLoss(index + ": tensor '" + tensor + "' is not in its shard " + shard);
    }
  }
  return files;
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// The file or index of a variant (empty: the plain ones), if the folder has it. The index has had
// two names: "model.safetensors.index.fp16.json" and "model.safetensors.fp16.index.json".
std::optional<std::string> Find(const std::string& stem, const std::string& variant,
                                WeightLayout layout) {
  const std::string dotted = variant.empty() ? "" : "." + variant;
  const std::string single = stem + dotted + ".safetensors";
  std::optional<std::string> index;
  for (const std::string& candidate : {stem + ".safetensors.index" + dotted + ".json",
                                       stem + ".safetensors" + dotted + ".index.json"}) {
    if (!index && Exists(candidate)) index = candidate;
  }
  const bool index_first = layout == WeightLayout::kDiffusers;
  if (index && (index_first || !Exists(single))) return index;
  if (Exists(single)) return single;
  return std::nullopt;
}

StatusOr<WeightFiles> Open(const std::string& path) {
  return path.ends_with(".json") ? OpenShards(path) : OpenWeightFile(path);
}

// The variants whose files or indexes lie in a folder: "fp16" of "model.fp16.safetensors". Shards
// alone ("model.fp16-00001-of-00002.safetensors") are none.
std::set<std::string> VariantsIn(const std::string& directory, const std::string& name) {
  std::set<std::string> variants;
  const auto between = [&](const std::string& file, const std::string& head,
                           std::string_view tail) {
    if (file.size() <= head.size() + tail.size()) return;
    if (!file.starts_with(head) || !file.ends_with(tail)) return;
    const std::string variant = file.substr(head.size(), file.size() - head.size() - tail.size());
    if (variant.find_first_of(".-") == std::string::npos) variants.insert(variant);
  };
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string file = entry.path().filename();
    between(file, name + ".", ".safetensors");
    between(file, name + ".safetensors.index.", ".json");
    between(file, name + ".safetensors.", ".index.json");
  }
  return variants;
}

}  // namespace

StatusOr<WeightFiles> OpenWeightFile(const std::string& path) {
  WeightFiles files;
  RETURN_IF_ERROR(AddFile(path, files));
  return files;
}

StatusOr<WeightFiles> OpenWeightFolder(const std::string& directory, WeightLayout layout,
                                       const std::string& variant) {
  const std::string name = layout == WeightLayout::kDiffusers ? "diffusion_pytorch_model" : "model";
  const std::string stem = directory + "/" + name;
  const std::string single = stem + ".safetensors";
  const std::vector<std::string> choices = {variant, ""};
  for (size_t i = variant.empty() ? 1 : 0; i < choices.size(); ++i) {
    if (const auto found = Find(stem, choices[i], layout)) return Open(*found);
  }
  const std::set<std::string> variants = VariantsIn(directory, name);
  std::string listed;
  for (const std::string& one : variants) listed += (listed.empty() ? "" : ", ") + one;
  if (!variants.empty() && !variant.empty()) {
    return NotFound(directory + ": has no weights of the variant '" + variant + "', only of " +
                    listed);
  }
  if (variants.size() > 1) {
    return InvalidArgument(directory + ": has weights of several variants (" + listed +
                           "); choose one with variant in phasor.yaml");
  }
  if (!variants.empty()) {
    if (const auto found = Find(stem, *variants.begin(), layout)) return Open(*found);
  }
  for (const char* extension : {".bin", ".ckpt", ".pth", ".pt"}) {
    if (Exists(stem + extension) || Exists(directory + "/pytorch_model" + extension)) {
      return NotFound(single + " does not exist; pickled weights are not read, convert them first");
    }
  }
  return NotFound(single + " does not exist, nor does its index");
}

}  // namespace phasor::engine
