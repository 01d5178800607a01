// API keys: what a client sends, and what is kept of it.
//
// A key is "phk_<id>_<secret>": the id finds its record, the secret of 256 random bits proves that
// one has the key. Kept is SHA-256(salt, secret): a secret that nobody can guess needs no slow
// hash, and each call costs one fast one. Nothing from which the key could be made again is kept.
//
// Pure but for drawing random bytes; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/access/identity.h"
#include "common/base/status.h"

namespace phasor::access {

struct KeyRecord {
  std::string id;
  std::string name;  // what its maker calls it
  std::string tenant;
  RoleSet roles;
  int64_t created_ms = 0;
  int64_t expires_ms = 0;  // 0: never
  std::string salt;
  std::string hash;  // hex
  bool operator==(const KeyRecord&) const = default;
};

struct KeyGrant {
  std::string name;
  std::string tenant;
  RoleSet roles;
  int64_t expires_ms = 0;
};

struct MadeKey {
  std::string key;  // to be shown once
  KeyRecord record;
};

// INVALID_ARGUMENT for a grant that makes no sense (CheckGrant; a name beyond 100 bytes, or with
// control characters).
StatusOr<MadeKey> MakeKey(const KeyGrant& grant, int64_t now_ms);

struct KeyParts {
  std::string_view id;
  std::string_view secret;
};
// nullopt: it does not look like a key.
std::optional<KeyParts> SplitKey(std::string_view key);
bool IsValidKeyId(std::string_view id);

// In constant time.
bool Proves(std::string_view secret, const KeyRecord& record);
inline bool IsOver(int64_t expires_ms, int64_t now_ms) {
  return expires_ms != 0 && now_ms >= expires_ms;
}
Identity IdentityOf(const KeyRecord& record);

// As one line of JSON, for stores. DATA_LOSS for what is no record, or one that grants what
// MakeKey would not.
std::string EncodeKeyRecord(const KeyRecord& record);
StatusOr<KeyRecord> DecodeKeyRecord(std::string_view text);

}  // namespace phasor::access
