// The size of picture that a model directory's networks were made for, as diffusers takes it when a
// request names none: the UNet's sample size times the VAE's scale. Stateless, thread-safe.
#pragma once

#include <optional>
#include <string>

namespace phasor::config {

struct NativeSize {
  int width = 0;   // pixels
  int height = 0;  // pixels
};

// From unet/config.json and vae/config.json; nullopt where these do not tell (the engine says what
// is wrong with them when it loads the model). At most 16384 pixels a side.
std::optional<NativeSize> ReadNativeSize(const std::string& directory);

}  // namespace phasor::config
