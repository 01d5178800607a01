#include "common/config/native_size.h"

#include <cstdint>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "common/base/file.h"

namespace phasor::config {
namespace {

constexpr size_t kMaxConfigBytes = 1 << 20;
constexpr int64_t kLargestSide = 16'384;  // pixels
constexpr size_t kMostLevels = 8;         // of a VAE

nlohmann::json ReadJson(const std::string& path) {
  const StatusOr<std::string> text = ReadFile(path, kMaxConfigBytes);
  if (!text.ok()) return nullptr;
  return nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
}

// Files of diffusers before 0.9 say a smaller size than the model was trained with, and diffusers
// mends that (pipeline_stable_diffusion.py, __init__).
bool IsOld(const nlohmann::json& unet) {
  const auto version = unet.find("_diffusers_version");
  if (version == unet.end() || !version->is_string()) return false;
  const std::string text = version->get<std::string>();
  return text.starts_with("0.") && std::atoi(text.c_str() + 2) < 9;
}

std::optional<int64_t> Side(const nlohmann::json& value) {
  if (!value.is_number()) return std::nullopt;
  const double side = value.get<double>();
  if (!(side >= 1 && side <= kLargestSide)) return std::nullopt;
  return static_cast<int64_t>(side);
}

}  // namespace

std::optional<NativeSize> ReadNativeSize(const std::string& directory) {
  const nlohmann::json unet = ReadJson(directory + "/unet/config.json");
  const nlohmann::json vae = ReadJson(directory + "/vae/config.json");
  if (!unet.is_object() || !vae.is_object()) return std::nullopt;
  const auto size = unet.find("sample_size");
  const auto levels = vae.find("block_out_channels");
  if (size == unet.end() || levels == vae.end() || !levels->is_array()) return std::nullopt;
  if (levels->empty() || levels->size() > kMostLevels) return std::nullopt;
  const bool pair = size->is_array() && size->size() == 2;  // height, width
  std::optional<int64_t> height = Side(pair ? (*size)[0] : *size);
  std::optional<int64_t> width = Side(pair ? (*size)[1] : *size);
  if (!height || !width) return std::nullopt;
  constexpr int64_t kMended = 64;
  if (!pair && *height < kMended && IsOld(unet)) height = width = kMended;
  const int64_t scale = int64_t{1} << (levels->size() - 1);
  if (*height * scale > kLargestSide || *width * scale > kLargestSide) return std::nullopt;
  return NativeSize{static_cast<int>(*width * scale), static_cast<int>(*height * scale)};
}

}  // namespace phasor::config
