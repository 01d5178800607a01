#include "common/access/jwt/token_checker.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

extern "C" {
#include <jose/b64.h>
#include <jose/cfg.h>
#include <jose/jws.h>
}

#include "common/access/jwt/ed25519.h"
#include "common/base/hash.h"

namespace phasor::access {
namespace {

constexpr size_t kMaxKnown = 4096;
constexpr size_t kMaxKeys = 64;
constexpr size_t kMaxPayload = 16 * 1024;
constexpr size_t kMaxRaw = 64;         // of a key or signature that is no structure
constexpr size_t kLeastModulus = 342;  // of base64: 2048 bits

struct Algorithm {
  std::string_view name;
  std::string_view key_type;
};
constexpr Algorithm kAlgorithms[] = {
    {"RS256", "RSA"}, {"RS384", "RSA"}, {"RS512", "RSA"}, {"PS256", "RSA"}, {"PS384", "RSA"},
    {"PS512", "RSA"}, {"ES256", "EC"},  {"ES384", "EC"},  {"ES512", "EC"},  {"EdDSA", "OKP"}};

struct Release {
  void operator()(json_t* json) const { json_decref(json); }
};
using Json = std::unique_ptr<json_t, Release>;

// A member that is a text; empty: there is none.
std::string_view TextIn(const json_t* object, const char* name) {
  const char* text = json_string_value(json_object_get(object, name));
  return text == nullptr ? "" : text;
}

Judged Refused(Trouble trouble) { return {.trouble = trouble, .identity = {}, .key_id = {}}; }

// The library would tell stderr of each signature that does not fit.
void SayNothing(void*, const char*, int, uint64_t, const char*, va_list) {}

// A compact token as the library takes it; null: it is none.
Json Unpack(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return nullptr;
  const auto header = token.substr(0, first);
  const auto payload = token.substr(first + 1, second - first - 1);
  const auto signature = token.substr(second + 1);
  if (header.empty() || payload.empty() || signature.empty()) return nullptr;
  return Json(json_pack("{s:s%,s:s%,s:s%}", "protected", header.data(), header.size(), "payload",
                        payload.data(), payload.size(), "signature", signature.data(),
                        signature.size()));
}

const Algorithm* AlgorithmOf(const json_t* header) {
  // What must be understood is not.
  if (json_object_get(header, "crit") != nullptr) return nullptr;
  const auto* found = std::find_if(
      std::begin(kAlgorithms), std::end(kAlgorithms),
      [&](const Algorithm& algorithm) { return algorithm.name == TextIn(header, "alg"); });
  return found == std::end(kAlgorithms) ? nullptr : found;
}

bool Fits(const json_t* key, const Algorithm& algorithm) {
  const std::string_view use = TextIn(key, "use");
  const std::string_view named = TextIn(key, "alg");
  return TextIn(key, "kty") == algorithm.key_type && (use.empty() || use == "sig") &&
         (named.empty() || named == algorithm.name);
}

// A member in base64 that has at most so many bytes.
std::optional<std::string> BytesIn(const json_t* object, const char* name, size_t most) {
  const json_t* encoded = json_object_get(object, name);
  const size_t size = jose_b64_dec(encoded, nullptr, 0);
  if (size == SIZE_MAX || size > most) return std::nullopt;
  std::string bytes(size, '\0');
  if (jose_b64_dec(encoded, bytes.data(), size) != size) return std::nullopt;
  return bytes;
}

// Large enough, and nothing that would prove less than it seems.
bool IsStrong(const json_t* key) {
  const std::string_view type = TextIn(key, "kty");
  return type == "EC" || (type == "RSA" && TextIn(key, "n").size() >= kLeastModulus) ||
         (type == "OKP" && TextIn(key, "crv") == "Ed25519");
}

bool IsSigned(std::string_view token, const json_t* jws, const json_t* key) {
  if (TextIn(key, "kty") == "OKP") {
    const auto public_key = BytesIn(key, "x", kMaxRaw);
    const auto signature = BytesIn(jws, "signature", kMaxRaw);
    return public_key && signature &&
           IsSignedByEd25519(*public_key, token.substr(0, token.rfind('.')), *signature);
  }
  jose_cfg_auto_t* config = jose_cfg();
  jose_cfg_set_err_func(config, &SayNothing, nullptr);
  return jose_jws_ver(config, jws, nullptr, key, false);
}

}  // namespace

struct TokenChecker::KeySet {
  std::vector<Json> keys;
};

StatusOr<std::unique_ptr<TokenChecker>> TokenChecker::Make(const TokenRules& rules,
                                                           const Clock* clock) {
  RETURN_IF_ERROR(Validate(rules));
  return std::unique_ptr<TokenChecker>(new TokenChecker(rules, clock));
}

TokenChecker::TokenChecker(TokenRules rules, const Clock* clock)
    : rules_(std::move(rules)), source_(rules_.jwks, clock) {}

TokenChecker::~TokenChecker() = default;

std::shared_ptr<const TokenChecker::KeySet> TokenChecker::keys() {
  MutexLock lock(&mu_);
  return keys_;
}

Status TokenChecker::Refresh() {
  if (!source_.IsDue(/*eager=*/missing_ || !last_.ok())) return last_;
  missing_ = false;
  last_ = Take(source_.Read());
  return last_;
}

Status TokenChecker::Take(StatusOr<std::string> text) {
  RETURN_IF_ERROR(text.status());
  if (*text == text_) return OkStatus();
  const Json parsed(json_loadb(text->data(), text->size(), JSON_REJECT_DUPLICATES, nullptr));
  const json_t* listed = json_object_get(parsed.get(), "keys");
  if (!json_is_array(listed) || json_array_size(listed) > kMaxKeys) {
    return DataLoss("the keys of tokens at " + rules_.jwks + " are no JWK set");
  }
  auto fresh = std::make_shared<KeySet>();
  for (size_t i = 0; i < json_array_size(listed); ++i) {
    json_t* key = json_array_get(listed, i);
    if (IsStrong(key)) fresh->keys.emplace_back(json_deep_copy(key));
  }
  if (fresh->keys.empty()) {
    return DataLoss("the keys of tokens at " + rules_.jwks + " hold none that would do");
  }
  text_ = *std::move(text);
  MutexLock lock(&mu_);
  keys_ = std::move(fresh);
  known_.clear();
  return OkStatus();
}

Judged TokenChecker::Check(std::string_view token, int64_t now_ms) {
  const auto keys = this->keys();
  if (keys == nullptr) return Refused(Trouble::kUnavailable);
  const std::string digest = Sha256Hex(token);
  {
    MutexLock lock(&mu_);
    const auto found = known_.find(digest);
    if (found != known_.end()) {
      const bool over = IsOver(found->second.identity->expires_ms, now_ms);
      return over ? Refused(Trouble::kOver) : found->second;
    }
  }
  Judged judged = Verify(token, *keys, now_ms);
  if (judged.trouble == Trouble::kNone) {
    MutexLock lock(&mu_);
    if (known_.size() >= kMaxKnown) known_.clear();
    // The keys may have changed meanwhile.
    if (keys == keys_) known_.emplace(digest, judged);
  }
  return judged;
}

Judged TokenChecker::Verify(std::string_view token, const KeySet& keys, int64_t now_ms) {
  const Json jws = Unpack(token);
  if (jws == nullptr) return Refused(Trouble::kMalformed);
  const Json header(jose_jws_hdr(jws.get()));
  const Algorithm* algorithm = header == nullptr ? nullptr : AlgorithmOf(header.get());
  if (algorithm == nullptr) return Refused(Trouble::kMalformed);
  const std::string_view id = TextIn(header.get(), "kid");
  bool named = false;
  for (const Json& key : keys.keys) {
    if (!id.empty() && TextIn(key.get(), "kid") != id) continue;
    named = true;
    if (!Fits(key.get(), *algorithm)) continue;
    if (!IsSigned(token, jws.get(), key.get())) continue;
    const auto payload = BytesIn(jws.get(), "payload", kMaxPayload);
    if (!payload) return Refused(Trouble::kMalformed);
    return JudgeClaims(rules_, *payload, now_ms);
  }
  if (!named) missing_ = true;
  return Refused(named ? Trouble::kWrong : Trouble::kUnknown);
}

}  // namespace phasor::access
