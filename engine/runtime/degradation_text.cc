#include "engine/runtime/degradation_text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace phasor::engine {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostReason = 200;  // bytes
constexpr size_t kMostKept = 16;
constexpr UnitKind kKinds[] = {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode};

Degradation Read(const Json& json) {
  Degradation one;
  const auto word = json.at("phase").get<std::string>();
  for (const UnitKind kind : kKinds) {
    if (word == ToString(kind)) one.kind = kind;
  }
  json.at("unit").get_to(one.index);
  json.at("action").get_to(one.action);
  json.at("reason").get_to(one.reason);
  json.at("asked").get_to(one.bytes_asked);
  json.at("free").get_to(one.bytes_free);
  return one;
}

}  // namespace

std::string DegradationText(const std::vector<Degradation>& degradations) {
  if (degradations.empty()) return "";
  Json list = Json::array();
  const size_t first = degradations.size() - std::min(degradations.size(), kMostKept);
  for (size_t i = first; i < degradations.size(); ++i) {
    const Degradation& one = degradations[i];
    list.push_back({{"phase", ToString(one.kind)},
                    {"unit", one.index},
                    {"action", one.action.substr(0, kMostReason)},
                    {"reason", one.reason.substr(0, kMostReason)},
                    {"asked", one.bytes_asked},
                    {"free", one.bytes_free}});
  }
  const auto text = [&] {
    return list.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  };
  while (text().size() > kMaxDegradationText) list.erase(list.begin());
  return text();
}

StatusOr<std::vector<Degradation>> ParseDegradations(std::string_view text) {
  std::vector<Degradation> degradations;
  if (text.empty()) return degradations;
  if (text.size() > kMaxDegradationText) return DataLoss("degradations: too long");
  const Json list = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array() || list.size() > kMostKept) return DataLoss("degradations: no list of them");
  try {
    for (const Json& one : list) degradations.push_back(Read(one));
  } catch (const Json::exception& error) {
    return DataLoss(std::string("degradations: ") + error.what());
  }
  return degradations;
}

}  // namespace phasor::engine
