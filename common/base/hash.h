// SHA-256, HMAC-SHA-256 and the text forms of digests. Stateless functions and one streaming
// hasher; thread-safe except that a Sha256 object belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace phasor {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(const void* data, size_t size);
  void Update(std::string_view bytes) { Update(bytes.data(), bytes.size()); }
  // Ends the hash; no further Update.
  Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest Sha256Of(std::string_view bytes);
Digest HmacSha256(std::string_view key, std::string_view bytes);

// Lower-case hexadecimal.
std::string Hex(const uint8_t* data, size_t size);
inline std::string Hex(const Digest& digest) { return Hex(digest.data(), digest.size()); }
inline std::string Sha256Hex(std::string_view bytes) { return Hex(Sha256Of(bytes)); }

// Takes as long for equal texts as for any others of their length.
bool EqualInConstantTime(std::string_view one, std::string_view other);

// RFC 4648 base32 in lower case without padding: names that fit keys, paths and URLs.
std::string Base32(const uint8_t* data, size_t size);

// 16 bytes from the operating system's generator, as 26 characters of base32.
std::string RandomToken();

}  // namespace phasor
