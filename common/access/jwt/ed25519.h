// Ed25519 (RFC 8032), which OpenSSL verifies: libjose 11 knows the other algorithms alone. A key
// and a signature are bytes of a fixed length, so there is nothing to parse. Pure.
#pragma once

#include <string_view>

namespace phasor::access {

// Whether `signature` is of `text` by the owner of the public key, which has 32 bytes.
bool IsSignedByEd25519(std::string_view public_key, std::string_view text,
                       std::string_view signature);

}  // namespace phasor::access
