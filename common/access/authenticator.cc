#include "common/access/authenticator.h"

#include <cctype>

namespace phasor::access {
namespace {

constexpr std::string_view kScheme = "bearer ";
constexpr size_t kMaxCredential = 16 * 1024;

// Empty: it is no bearer's header.
std::string_view CredentialIn(std::string_view header) {
  if (header.size() <= kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(header[i])) != kScheme[i]) return {};
  }
  header.remove_prefix(kScheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  while (header.ends_with(' ')) header.remove_suffix(1);
  return header;
}

// A key of an id that nobody has is compared with this, so that it takes as long as another's.
const KeyRecord& NobodysRecord() {
  static const KeyRecord record{.id = {},
                                .name = {},
                                .tenant = {},
                                .roles = {},
                                .salt = "aaaaaaaaaaaaaaaaaaaaaaaaaa",
                                .hash = std::string(64, '0')};
  return record;
}

}  // namespace

std::string_view ToString(Trouble trouble) {
  switch (trouble) {
    case Trouble::kNone:
      return "none";
    case Trouble::kMissing:
      return "missing";
    case Trouble::kMalformed:
      return "malformed";
    case Trouble::kUnknown:
      return "unknown";
    case Trouble::kWrong:
      return "wrong";
    case Trouble::kOver:
      return "over";
    case Trouble::kForeign:
      return "foreign";
    case Trouble::kUnavailable:
      return "unavailable";
  }
  return "";
}

std::shared_ptr<const Authenticator::Keys> Authenticator::keys() const {
  MutexLock lock(&mu_);
  return keys_;
}

Status Authenticator::Refresh() {
  if (parts_.keys == nullptr) return OkStatus();
  if (const auto now = keys(); now != nullptr) {
    ASSIGN_OR_RETURN(const std::string version, parts_.keys->Version());
    if (version == now->version) return OkStatus();
  }
  ASSIGN_OR_RETURN(KeyList list, parts_.keys->Read());
  auto fresh = std::make_shared<Keys>();
  fresh->version = list.version;
  for (KeyRecord& record : list.keys) {
    auto identity = std::make_shared<const Identity>(IdentityOf(record));
    const std::string id = record.id;
    fresh->by_id.emplace(id, Entry{std::move(record), std::move(identity)});
  }
  {
    MutexLock lock(&mu_);
    keys_ = std::move(fresh);
  }
  if (list.damaged == 0) return OkStatus();
  return DataLoss(std::to_string(list.damaged) +
                  " records of keys are damaged; those keys are void");
}

Status Authenticator::RefreshTokens() {
  return parts_.tokens == nullptr ? OkStatus() : parts_.tokens->Refresh();
}

Judged Authenticator::Check(std::string_view authorization) const {
  if (authorization.empty()) return {.trouble = Trouble::kMissing, .identity = {}, .key_id = {}};
  const std::string_view credential = CredentialIn(authorization);
  if (credential.empty() || credential.size() > kMaxCredential) {
    return {.trouble = Trouble::kMalformed, .identity = {}, .key_id = {}};
  }
  if (const auto parts = SplitKey(credential); parts && parts_.keys != nullptr) {
    return CheckKey(*parts);
  }
  if (parts_.tokens != nullptr) {
    return parts_.tokens->Check(credential, parts_.clock->WallMillis());
  }
  return {.trouble = Trouble::kMalformed, .identity = {}, .key_id = {}};
}

Judged Authenticator::CheckKey(const KeyParts& parts) const {
  Judged judged{.trouble = Trouble::kUnknown, .identity = {}, .key_id = std::string(parts.id)};
  const auto known = keys();
  if (known == nullptr) {
    judged.trouble = Trouble::kUnavailable;
    return judged;
  }
  const auto found = known->by_id.find(parts.id);
  const bool is_known = found != known->by_id.end();
  const bool proven = Proves(parts.secret, is_known ? found->second.record : NobodysRecord());
  if (!is_known) return judged;
  if (!proven) {
    judged.trouble = Trouble::kWrong;
  } else if (IsOver(found->second.record.expires_ms, parts_.clock->WallMillis())) {
    judged.trouble = Trouble::kOver;
  } else {
    judged.trouble = Trouble::kNone;
    judged.identity = found->second.identity;
  }
  return judged;
}

bool Authenticator::Holds(const Judged& judged) const {
  if (judged.trouble != Trouble::kNone) return false;
  if (IsOver(judged.identity->expires_ms, parts_.clock->WallMillis())) return false;
  if (judged.key_id.empty()) return true;
  const auto known = keys();
  if (known == nullptr) return false;
  const auto found = known->by_id.find(judged.key_id);
  // One that was made anew under its id is another key.
  return found != known->by_id.end() && *found->second.identity == *judged.identity;
}

}  // namespace phasor::access
