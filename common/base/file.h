// Files as the service needs them: whole reads with a bound, durable writes, a read-only mapping.
// Errors name the path and the operating system's reason. Thread-safe (no shared state).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor {

// NOT_FOUND if absent, INVALID_ARGUMENT above `max_bytes` (checked before allocating).
StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Writes to a unique name beside `path`, fsyncs, renames over it and fsyncs the directory.
// RESOURCE_EXHAUSTED when the disk is full; then nothing is left behind. UNAVAILABLE when it is
// unknown whether the new bytes will stand: they do, but the directory could not be synced.
Status WriteFileDurably(const std::string& path, std::string_view bytes);

// Takes the next bytes of a file.
using FileSink = std::function<Status(std::string_view bytes)>;

// The same of bytes that `write` gives piece by piece, so that they are never all in memory. What
// it fails with is returned, and nothing is left behind.
Status WriteFileDurably(const std::string& path,
                        const std::function<Status(const FileSink& sink)>& write);

// As the first, but ALREADY_EXISTS if `path` exists, also when another process wins the race:
// link() makes the creation atomic.
Status CreateFileDurably(const std::string& path, std::string_view bytes);

// mkdir -p.
Status MakeDirectories(const std::string& path);

// A read-only private mapping of a whole file; unmapped on destruction. Movable.
class MappedFile {
 public:
  static StatusOr<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  // Writable in memory (a private copy-on-write mapping), so that weights may be fused in place.
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  MappedFile(uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace phasor
