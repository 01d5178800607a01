#include "engine/weights/renames.h"

#include <array>
#include <string_view>
#include <utility>

namespace phasor::engine {

std::string RenameOldVaeAttention(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNames = {{
      {"query", "to_q"},
      {"key", "to_k"},
      {"value", "to_v"},
      {"proj_attn", "to_out.0"},
  }};
  static constexpr std::string_view kPlace = "mid_block.attentions.0.";
  const size_t place = name.find(kPlace);
  if (place == std::string::npos) return name;
  const size_t start = place + kPlace.size();
  const size_t dot = name.find('.', start);
  if (dot == std::string::npos) return name;
  for (const auto& [old_name, new_name] : kNames) {
    if (std::string_view(name).substr(start, dot - start) == old_name) {
      return name.substr(0, start) + std::string(new_name) + name.substr(dot);
    }
  }
  return name;
}

std::string RenameFlatClip(const std::string& name) {
  for (const char* part : {"embeddings.", "encoder.", "final_layer_norm."}) {
    if (name.starts_with(part)) return "text_model." + name;
  }
  return name;
}

}  // namespace phasor::engine
