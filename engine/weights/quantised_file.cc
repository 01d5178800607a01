#include "engine/weights/quantised_file.h"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "engine/device/counted_memory.h"
#include "engine/weights/safetensors.h"
#include "engine/weights/weight_files.h"

namespace phasor::engine {
namespace {

constexpr char kVersion[] = "1";
constexpr char kScale[] = ".scale";
// The last of the file: SHA-256 of the data before it.
constexpr char kChecksum[] = "sha256";
constexpr uint64_t kDigestBytes = 32;

std::string NameOf(WeightForm form) { return form == WeightForm::kFp8 ? "fp8" : "nf4"; }

std::map<std::string, std::string> MetadataOf(WeightForm form, const QuantisedSource& source) {
  return {{"phasor", "quantised weights"}, {"version", kVersion},
          {"form", NameOf(form)},          {"block", std::to_string(kQuantisedBlock)},
          {"model", source.model_digest},  {"part", source.part}};
}

std::string PathIn(const std::string& directory, WeightForm form, const QuantisedSource& source) {
  const std::string key = Sha256Hex(source.model_digest + '\0' + source.part);
  return directory + "/" + key.substr(0, 32) + "-" + NameOf(form) + ".safetensors";
}

SafetensorsEntry Entry(std::string name, SafetensorsType type, int64_t values) {
  return {.name = std::move(name), .type = type, .shape = {static_cast<uint64_t>(values)}};
}

// One after the other as they are written.
std::vector<SafetensorsEntry> EntriesOf(WeightForm form, const WeightSet& set) {
  std::vector<SafetensorsEntry> entries;
  for (const WeightSlot* slot : set.Quantising()) {
    const int64_t values = slot->host.numel();
    entries.push_back(
        Entry(slot->name, SafetensorsType::kU8, QuantisedCodes(slot->FormIn(form), values)));
    entries.push_back(Entry(slot->name + kScale, SafetensorsType::kF32, QuantisedScales(values)));
  }
  entries.push_back(Entry(kChecksum, SafetensorsType::kU8, kDigestBytes));
  return entries;
}

std::string_view BytesOf(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()};
}

Status WriteForm(const FileSink& sink, WeightForm form, const QuantisedSource& source,
                 const WeightSet& set, const std::function<void()>& on_weight) {
  RETURN_IF_ERROR(sink(EncodeSafetensorsHeader(EntriesOf(form, set), MetadataOf(form, source))));
  Sha256 checksum;
  for (const WeightSlot* slot : set.Quantising()) {
    Quantised quantised;
    try {
      quantised = Quantise(slot->FormIn(form), slot->host);
    } catch (const std::invalid_argument& error) {
      return InvalidArgument(source.part + ": '" + slot->name + "' " + error.what());
    }
    for (const at::Tensor& tensor : {quantised.codes, quantised.scales}) {
      checksum.Update(BytesOf(tensor));
      RETURN_IF_ERROR(sink(BytesOf(tensor)));
    }
    if (on_weight) on_weight();
  }
  const Digest digest = checksum.Finish();
  return sink({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

// DATA_LOSS: it is not what MetadataOf and EntriesOf say.
Status Check(const WeightFiles& files, WeightForm form, const QuantisedSource& source,
             const WeightSet& set) {
  const auto checksum = files.tensors.find(kChecksum);
  if (checksum == files.tensors.end()) return DataLoss("it is no file of quantised weights");
  const std::string_view file = checksum->second.mapping->view();
  ASSIGN_OR_RETURN(const SafetensorsHeader header, ParseSafetensorsHeader(file));
  for (const auto& [key, value] : MetadataOf(form, source)) {
    const auto found = header.metadata.find(key);
    if (found == header.metadata.end() || found->second != value) {
      return DataLoss("its " + key + " is not " + value);
    }
  }
  const std::vector<SafetensorsEntry> entries = EntriesOf(form, set);
  if (header.entries.size() != entries.size()) return DataLoss("it holds other weights");
  for (size_t i = 0; i < entries.size(); ++i) {
    const SafetensorsEntry& there = header.entries[i];
    if (there.name != entries[i].name || there.type != entries[i].type ||
        there.shape != entries[i].shape) {
      return DataLoss("'" + there.name + "' is not '" + entries[i].name + "' as it should be");
    }
  }
  const std::string_view data = file.substr(header.data_start, header.entries.back().begin);
  const std::string_view stored = file.substr(header.data_start + data.size(), kDigestBytes);
  if (Hex(Sha256Of(data)) == Hex(reinterpret_cast<const uint8_t*>(stored.data()), stored.size())) {
    return OkStatus();
  }
  return DataLoss("its checksum is wrong");
}

StatusOr<WeightSet::QuantisedWeights> ReadForm(const std::string& path, WeightForm form,
                                               const QuantisedSource& source,
                                               const WeightSet& set) {
  ASSIGN_OR_RETURN(const WeightFiles files, OpenWeightFile(path));
  RETURN_IF_ERROR(Check(files, form, source, set));
  WeightSet::QuantisedWeights weights;
  for (const WeightSlot* slot : set.Quantising()) {
    Quantised& quantised = weights[slot->name];
    quantised.form = slot->FormIn(form);
    ASSIGN_OR_RETURN(quantised.codes, ViewTensor(files.tensors.at(slot->name)));
    ASSIGN_OR_RETURN(quantised.scales, ViewTensor(files.tensors.at(slot->name + kScale)));
  }
  return weights;
}

}  // namespace

StatusOr<std::string> BringForm(WeightForm form, const QuantisedSource& source, WeightSet* set,
                                const std::function<void()>& on_weight) {
  if (set->Has(form)) return std::string();
  const MemoryScope scope(MemoryKind::kHost);
  const auto write = [&](const FileSink& sink) {
    return WriteForm(sink, form, source, *set, on_weight);
  };
  const auto give = [&](const std::string& path) -> Status {
    ASSIGN_OR_RETURN(const auto weights, ReadForm(path, form, source, *set));
    set->Give(form, weights);
    return OkStatus();
  };
  std::string told;
  if (!source.cache_directory.empty()) {
    const std::string path = PathIn(source.cache_directory, form, source);
    const Status known = give(path);
    if (known.ok()) return told;
    if (known.code() != StatusCode::kNotFound) {
      told = path + ": quantised weights are made anew: " + Message(known);
    }
    Status made = MakeDirectories(source.cache_directory);
    if (made.ok()) made = WriteFileDurably(path, write);
    if (made.ok()) made = give(path);
    if (made.ok() || made.code() == StatusCode::kInvalidArgument) {
      RETURN_IF_ERROR(made);
      return told;
    }
    told = "quantised weights are not kept: " + Message(made);
  }
  // The mapping outlives the name.
  const std::string path = std::filesystem::temp_directory_path().string() + "/phasor-quantised-" +
                           RandomToken() + ".safetensors";
  Status made = WriteFileDurably(path, write);
  if (made.ok()) made = give(path);
  ::unlink(path.c_str());
  RETURN_IF_ERROR(made);
  return told;
}

}  // namespace phasor::engine
