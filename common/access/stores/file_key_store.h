// Keys in a file, a record of JSON on each line: for clusters that keep secrets elsewhere and mount
// them. It may be replaced at any time, also by way of a link, as Kubernetes does. Writers of one
// machine wait for each other; the file is replaced whole. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "common/access/key_store.h"

namespace phasor::access {

class FileKeyStore final : public KeyStore {
 public:
  explicit FileKeyStore(std::string path) : path_(std::move(path)) {}

  // Makes the file where there is none, for its owner alone.
  Status Add(const KeyRecord& record) override;
  Status Remove(const std::string& id) override;
  // NOT_FOUND where there is no file. A line that is no record is `damaged`.
  StatusOr<KeyList> Read() override;
  StatusOr<std::string> Version() override;

 private:
  Status Write(const std::vector<KeyRecord>& records) const;

  const std::string path_;
};

}  // namespace phasor::access
