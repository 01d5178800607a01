// A text at a path that only this process can open, never on a disk. Replaced as a whole: who opens
// the path gets the old or the new text, never a part. One writer; any number of readers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/status.h"

namespace phasor::tls {

class StagedFile {
 public:
  // The path stands as long as the process: gRPC's watcher may read it after everybody else, and
  // must not find another file under the same number.
  static StatusOr<std::unique_ptr<StagedFile>> Make(const std::string& text);
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  // Its modification time changes by a second each time, for readers that compare it.
  Status Replace(const std::string& text);
  std::string path() const;

 private:
  explicit StagedFile(int fd) : fd_(fd) {}

  const int fd_;
  int64_t version_ = 1;
};

}  // namespace phasor::tls
