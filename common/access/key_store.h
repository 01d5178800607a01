// Where the records of API keys are: a port with adapters for Redis and for a file
// (common/access/stores), and one in memory. One contract suite runs against all of them
// (contract/key_store_contract.h). Thread-safe; calls block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/access/api_key.h"
#include "common/base/status.h"

namespace phasor::access {

struct KeyList {
  std::vector<KeyRecord> keys;  // by id
  std::string version;          // another one once anything has changed
  int damaged = 0;              // records that were left out: their keys are no good
};

// That a key was made or revoked, for the audit log: nothing of it proves anything.
struct KeyChange {
  bool made = false;  // else it was revoked
  std::string id;
  std::string name;
  std::string tenant;
  std::string roles;  // words with commas between
  std::string by;     // what whoever did it says of himself
  int64_t at_ms = 0;  // by the store's clock
  bool operator==(const KeyChange&) const = default;
};

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  // ALREADY_EXISTS: there is one of this id.
  virtual Status Add(const KeyRecord& record) = 0;
  // NOT_FOUND: there is none of this id.
  virtual Status Remove(const std::string& id) = 0;
  virtual StatusOr<KeyList> Read() = 0;
  // That of Read, for less.
  virtual StatusOr<std::string> Version() = 0;
  // Changes that nobody was given yet, oldest first: each goes to one caller, of all processes that
  // share the store. Of very many the oldest are lost. A store that keeps none never has any.
  virtual StatusOr<std::vector<KeyChange>> TakeChanges() { return std::vector<KeyChange>(); }
};

}  // namespace phasor::access
