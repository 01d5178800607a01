#include "common/access/api_key.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/base/hash.h"
#include "common/base/utf8.h"

namespace phasor::access {
namespace {

constexpr std::string_view kPrefix = "phk_";
constexpr size_t kIdLength = 16;
constexpr size_t kSecretLength = 52;
constexpr size_t kMaxName = 100;

bool IsBase32(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); });
}

std::string HashOf(std::string_view salt, std::string_view secret) {
  return Sha256Hex(std::string(salt).append(secret));
}

Status CheckName(const std::string& name) {
  const bool plain =
      std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (name.size() <= kMaxName && plain && IsUtf8Text(name)) return OkStatus();
  return InvalidArgument("a key's name has at most 100 bytes and no control characters");
}

}  // namespace

StatusOr<MadeKey> MakeKey(const KeyGrant& grant, int64_t now_ms) {
  RETURN_IF_ERROR(CheckGrant(grant.roles, grant.tenant));
  RETURN_IF_ERROR(CheckName(grant.name));
  if (IsOver(grant.expires_ms, now_ms)) return InvalidArgument("the key would be over already");
  const std::string secret = RandomToken() + RandomToken();
  MadeKey made;
  made.record = {.id = RandomToken().substr(0, kIdLength),
                 .name = grant.name,
                 .tenant = grant.tenant,
                 .roles = grant.roles,
                 .created_ms = now_ms,
                 .expires_ms = grant.expires_ms,
                 .salt = RandomToken(),
                 .hash = {}};
  made.record.hash = HashOf(made.record.salt, secret);
  made.key = std::string(kPrefix) + made.record.id + "_" + secret;
  return made;
}

bool IsValidKeyId(std::string_view id) { return id.size() == kIdLength && IsBase32(id); }

std::optional<KeyParts> SplitKey(std::string_view key) {
  if (key.size() != kPrefix.size() + kIdLength + 1 + kSecretLength) return std::nullopt;
  if (!key.starts_with(kPrefix) || key[kPrefix.size() + kIdLength] != '_') return std::nullopt;
  const KeyParts parts{.id = key.substr(kPrefix.size(), kIdLength),
                       .secret = key.substr(kPrefix.size() + kIdLength + 1)};
  if (!IsBase32(parts.id) || !IsBase32(parts.secret)) return std::nullopt;
  return parts;
}

bool Proves(std::string_view secret, const KeyRecord& record) {
  return EqualInConstantTime(HashOf(record.salt, secret), record.hash);
}

Identity IdentityOf(const KeyRecord& record) {
  return {.name = "key " + record.id,
          .tenant = record.tenant,
          .roles = record.roles,
          .expires_ms = record.expires_ms};
}

std::string EncodeKeyRecord(const KeyRecord& record) {
  const nlohmann::json json = {{"id", record.id},
                               {"name", record.name},
                               {"tenant", record.tenant},
                               {"roles", Words(record.roles)},
                               {"created_ms", record.created_ms},
                               {"expires_ms", record.expires_ms},
                               {"salt", record.salt},
                               {"hash", record.hash}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

StatusOr<KeyRecord> DecodeKeyRecord(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Status broken = DataLoss("a key's record is damaged");
  if (!json.is_object()) return broken;
  const auto word = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto number = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : int64_t{-1};
  };
  KeyRecord record{.id = word("id"),
                   .name = word("name"),
                   .tenant = word("tenant"),
                   .roles = {},
                   .created_ms = number("created_ms"),
                   .expires_ms = number("expires_ms"),
                   .salt = word("salt"),
                   .hash = word("hash")};
  std::vector<std::string> roles;
  const auto listed = json.find("roles");
  if (listed == json.end() || !listed->is_array()) return broken;
  for (const auto& role : *listed) roles.push_back(role.is_string() ? role : "");
  auto parsed = ParseRoles(roles);
  if (!parsed.ok()) return broken;
  record.roles = *parsed;
  // A record that lacks its end would never end.
  const bool whole = IsValidKeyId(record.id) && !record.salt.empty() &&
                     record.hash.size() == 2 * sizeof(Digest) && record.expires_ms >= 0 &&
                     record.created_ms >= 0 && CheckGrant(record.roles, record.tenant).ok();
  if (!whole) return broken;
  return record;
}

}  // namespace phasor::access
