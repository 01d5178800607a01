#include "common/base/environment.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace phasor {

StatusOr<std::string> ReadVariable(const std::string& name) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const char* const set = std::getenv(name.c_str());
  std::string_view value = set == nullptr ? "" : set;
  value.remove_prefix(std::min(value.find_first_not_of(kSpace), value.size()));
  value = value.substr(0, value.find_last_not_of(kSpace) + 1);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
  if (std::any_of(value.begin(), value.end(), is_control)) {
    return InvalidArgument("the environment variable " + name + " has a control character in it");
  }
  return std::string(value);
}

}  // namespace phasor
