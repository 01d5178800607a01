#include "engine/weights/weight_files.h"

#include <filesystem>
#include <set>
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

}  // namespace

StatusOr<WeightFiles> OpenWeightFile(const std::string& path) {
  WeightFiles files;
  RETURN_IF_ERROR(AddFile(path, files));
  return files;
}

StatusOr<WeightFiles> OpenWeightFolder(const std::string& directory, WeightLayout layout) {
  const std::string stem =
      directory + (layout == WeightLayout::kDiffusers ? "/diffusion_pytorch_model" : "/model");
  const std::string single = stem + ".safetensors";
  const std::string index = single + ".index.json";
  const bool index_first = layout == WeightLayout::kDiffusers;
  if (Exists(index) && (index_first || !Exists(single))) return OpenShards(index);
  if (Exists(single)) return OpenWeightFile(single);
  for (const char* extension : {".bin", ".ckpt", ".pth", ".pt"}) {
    if (Exists(stem + extension) || Exists(directory + "/pytorch_model" + extension)) {
      return NotFound(single + " does not exist; pickled weights are not read, convert them first");
    }
  }
  return NotFound(single + " does not exist, nor does its index");
}

}  // namespace phasor::engine
