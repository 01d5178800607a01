#include "engine/checkpoint/checkpoint.h"

#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "common/base/hash.h"

namespace phasor::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kMagic = "PHASORCK";
constexpr uint32_t kVersion = 1;
constexpr size_t kDigestBytes = sizeof(Digest);
constexpr size_t kTotalOffset = kMagic.size() + 2 * sizeof(uint32_t);
constexpr size_t kHeaderBytes = kTotalOffset + sizeof(uint64_t);
constexpr size_t kMaxTextBytes = 256;
constexpr size_t kMaxRank = 8;

class Writer {
 public:
  template <typename T>
  void Value(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void Raw(std::string_view bytes) { bytes_.append(bytes); }
  void Text(std::string_view text) {
    Value(static_cast<uint32_t>(text.size()));
    Raw(text);
  }

  // Fills in the length and appends the digest.
  std::string Finish() {
    const uint64_t total = bytes_.size() + kDigestBytes;
    std::memcpy(bytes_.data() + kTotalOffset, &total, sizeof(total));
    const Digest digest = Sha256Of(bytes_);
    Raw({reinterpret_cast<const char*>(digest.data()), digest.size()});
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Takes values off the front; after the first shortage every read fails.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  bool Value(T* value) {
    std::string_view raw;
    if (!Raw(sizeof(T), &raw)) return false;
    std::memcpy(value, raw.data(), sizeof(T));
    return true;
  }
  bool Raw(uint64_t size, std::string_view* raw) {
    if (size > rest_.size()) return false;
    *raw = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  bool Text(std::string* text) {
    uint32_t size = 0;
    std::string_view raw;
    if (!Value(&size) || size > kMaxTextBytes || !Raw(size, &raw)) return false;
    text->assign(raw);
    return true;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

Status Malformed(const std::string& what) { return DataLoss("checkpoint: " + what); }

// Names must ascend, so that no entry hides another.
template <typename T>
bool Append(std::map<std::string, T>* map, std::string name, T value) {
  if (!map->empty() && name <= map->rbegin()->first) return false;
  map->emplace_hint(map->end(), std::move(name), std::move(value));
  return true;
}

bool ReadTensor(Reader* reader, CheckpointTensor* tensor) {
  uint8_t rank = 0;
  if (!reader->Value(&tensor->dtype) || !reader->Value(&rank) || rank > kMaxRank) return false;
  uint64_t size = SizeOf(tensor->dtype);
  if (size == 0) return false;
  for (int i = 0; i < rank; ++i) {
    int64_t dimension = 0;
    if (!reader->Value(&dimension) || dimension < 1) return false;
    if (size > std::numeric_limits<uint64_t>::max() / static_cast<uint64_t>(dimension)) {
      return false;
    }
    size *= static_cast<uint64_t>(dimension);
    tensor->shape.push_back(dimension);
  }
  std::string_view raw;
  if (!reader->Raw(size, &raw)) return false;
  tensor->bytes.assign(raw);
  return true;
}

Status ReadBody(Reader* reader, Checkpoint* checkpoint) {
  uint32_t count = 0;
  if (!reader->Value(&count)) return Malformed("no counters");
  for (uint32_t i = 0; i < count; ++i) {
    std::string name;
    int64_t value = 0;
    if (!reader->Text(&name) || !reader->Value(&value) ||
        !Append(&checkpoint->counters, std::move(name), value)) {
      return Malformed("counter " + std::to_string(i) + " is malformed");
    }
  }
  if (!reader->Value(&count)) return Malformed("no tensors");
  for (uint32_t i = 0; i < count; ++i) {
    std::string name;
    CheckpointTensor tensor;
    if (!reader->Text(&name) || !ReadTensor(reader, &tensor) ||
        !Append(&checkpoint->tensors, std::move(name), std::move(tensor))) {
      return Malformed("tensor " + std::to_string(i) + " is malformed");
    }
  }
  if (!reader->empty()) return Malformed("bytes after the last tensor");
  return OkStatus();
}

// Magic, version, length and digest. `body` is what lies between the header and the digest.
Status CheckEnvelope(std::string_view bytes, uint32_t* step, std::string_view* body) {
  Reader reader(bytes);
  std::string_view magic;
  uint32_t version = 0;
  uint64_t total = 0;
  if (!reader.Raw(kMagic.size(), &magic) || magic != kMagic) {
    return Malformed("not a checkpoint (wrong magic)");
  }
  if (!reader.Value(&version) || !reader.Value(step) || !reader.Value(&total) ||
      bytes.size() < kHeaderBytes + kDigestBytes) {
    return Malformed("truncated at " + std::to_string(bytes.size()) + " bytes");
  }
  if (version != kVersion) {
    return Malformed("version " + std::to_string(version) + ", this program reads version " +
                     std::to_string(kVersion));
  }
  if (total != bytes.size()) {
    return Malformed("has " + std::to_string(bytes.size()) + " bytes and should have " +
                     std::to_string(total));
  }
  const std::string_view hashed = bytes.substr(0, bytes.size() - kDigestBytes);
  const Digest digest = Sha256Of(hashed);
  if (std::memcmp(digest.data(), bytes.data() + hashed.size(), kDigestBytes) != 0) {
    return Malformed("altered (the SHA-256 does not match)");
  }
  *body = hashed.substr(kHeaderBytes);
  return OkStatus();
}

}  // namespace

size_t SizeOf(CheckpointDtype dtype) {
  switch (dtype) {
    case CheckpointDtype::kU8:
      return 1;
    case CheckpointDtype::kF16:
    case CheckpointDtype::kBF16:
      return 2;
    case CheckpointDtype::kF32:
      return 4;
    case CheckpointDtype::kF64:
    case CheckpointDtype::kI64:
      return 8;
  }
  return 0;
}

std::string WriteCheckpoint(const Checkpoint& checkpoint) {
  Writer writer;
  writer.Raw(kMagic);
  writer.Value(kVersion);
  writer.Value(checkpoint.step);
  writer.Value(uint64_t{0});
  writer.Text(checkpoint.fingerprint);
  writer.Value(static_cast<uint32_t>(checkpoint.counters.size()));
  for (const auto& [name, value] : checkpoint.counters) {
    writer.Text(name);
    writer.Value(value);
  }
  writer.Value(static_cast<uint32_t>(checkpoint.tensors.size()));
  for (const auto& [name, tensor] : checkpoint.tensors) {
    writer.Text(name);
    writer.Value(tensor.dtype);
    writer.Value(static_cast<uint8_t>(tensor.shape.size()));
    for (const int64_t dimension : tensor.shape) writer.Value(dimension);
    writer.Raw(tensor.bytes);
  }
  return writer.Finish();
}

StatusOr<Checkpoint> ReadCheckpoint(std::string_view bytes, const CheckpointExpectation& expected) {
  Checkpoint checkpoint;
  std::string_view body;
  RETURN_IF_ERROR(CheckEnvelope(bytes, &checkpoint.step, &body));
  Reader reader(body);
  if (!reader.Text(&checkpoint.fingerprint)) return Malformed("no fingerprint");
  if (checkpoint.fingerprint != expected.fingerprint) {
    return FailedPrecondition("checkpoint: of another run (fingerprint " + checkpoint.fingerprint +
                              ", this run has " + expected.fingerprint + ")");
  }
  if (bytes.size() > expected.max_bytes) {
    return Malformed("has " + std::to_string(bytes.size()) + " bytes, this run needs at most " +
                     std::to_string(expected.max_bytes));
  }
  if (checkpoint.step > expected.max_step) {
    return Malformed("step " + std::to_string(checkpoint.step) + " of " +
                     std::to_string(expected.max_step));
  }
  RETURN_IF_ERROR(ReadBody(&reader, &checkpoint));
  return checkpoint;
}

}  // namespace phasor::engine
