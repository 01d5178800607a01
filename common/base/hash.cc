#include "common/base/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstdlib>

namespace phasor {
namespace {

constexpr size_t kTokenBytes = 16;

// Fetched once: OpenSSL 3 looks an algorithm up by its name, under a lock, at every other use.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// The one-shot HMAC() allocates and looks both algorithms up at every call.
EVP_MAC_CTX* NewHmac() {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  if (context == nullptr || EVP_MAC_CTX_set_params(context, params) != 1) std::abort();
  return context;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex2(state_->context, Algorithm(), nullptr) != 1) std::abort();
}

Sha256::~Sha256() = default;

void Sha256::Update(const void* data, size_t size) {
  if (EVP_DigestUpdate(state_->context, data, size) != 1) std::abort();
}

Digest Sha256::Finish() {
  Digest digest;
  if (EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) != 1) std::abort();
  return digest;
}

Digest Sha256Of(std::string_view bytes) {
  static thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  Digest digest;
  if (EVP_DigestInit_ex2(context.get(), Algorithm(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    std::abort();
  }
  return digest;
}

Digest HmacSha256(std::string_view key, std::string_view bytes) {
  static thread_local const std::unique_ptr<EVP_MAC_CTX, FreeContext> context(NewHmac());
  // Without a pointer the key of the call before would stay.
  const auto* key_bytes = reinterpret_cast<const uint8_t*>(key.empty() ? "" : key.data());
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  Digest digest;
  size_t size = 0;
  if (EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) != 1 ||
      EVP_MAC_update(context.get(), data, bytes.size()) != 1 ||
      EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1) {
    std::abort();
  }
  return digest;
}

std::string Hex(const uint8_t* data, size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    text.push_back(kDigits[data[i] >> 4]);
    text.push_back(kDigits[data[i] & 15]);
  }
  return text;
}

bool EqualInConstantTime(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string Base32(const uint8_t* data, size_t size) {
  static constexpr char kDigits[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  text.reserve((size * 8 + 4) / 5);
  uint32_t buffer = 0;
  int bits = 0;
  for (size_t i = 0; i < size; ++i) {
    buffer = (buffer << 8) | data[i];
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text.push_back(kDigits[(buffer >> bits) & 31]);
    }
  }
  if (bits > 0) text.push_back(kDigits[(buffer << (5 - bits)) & 31]);
  return text;
}

// Drawn for many tokens at once: a draw costs far more than its bytes.
std::string RandomToken() {
  static thread_local std::array<uint8_t, 64 * kTokenBytes> drawn;
  static thread_local size_t used = drawn.size();
  if (used == drawn.size()) {
    if (RAND_bytes(drawn.data(), static_cast<int>(drawn.size())) != 1) std::abort();
    used = 0;
  }
  std::string token = Base32(drawn.data() + used, kTokenBytes);
  used += kTokenBytes;
  return token;
}

}  // namespace phasor
