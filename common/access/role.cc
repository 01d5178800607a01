#include "common/access/role.h"

#include <algorithm>

namespace phasor::access {

std::string_view ToString(Role role) {
  switch (role) {
    case Role::kDraw:
      return "draw";
    case Role::kRead:
      return "read";
    case Role::kOperate:
      return "operate";
    case Role::kWork:
      return "work";
  }
  return "";
}

StatusOr<RoleSet> ParseRoles(const std::vector<std::string>& words) {
  RoleSet roles;
  for (const std::string& word : words) {
    const auto* found = std::find_if(std::begin(kAllRoles), std::end(kAllRoles),
                                     [&](Role role) { return ToString(role) == word; });
    if (found == std::end(kAllRoles)) {
      return InvalidArgument("'" + word + "' is no role; there are draw, read, operate and work");
    }
    roles.Add(*found);
  }
  return roles;
}

std::vector<std::string> Words(RoleSet roles) {
  std::vector<std::string> words;
  for (const Role role : kAllRoles) {
    if (roles.Has(role)) words.emplace_back(ToString(role));
  }
  return words;
}

std::string ToString(RoleSet roles) {
  std::string text;
  for (const std::string& word : Words(roles)) {
    if (!text.empty()) text += ',';
    text += word;
  }
  return text;
}

}  // namespace phasor::access
