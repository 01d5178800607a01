#include "common/access/identity.h"

#include <algorithm>
#include <cctype>

namespace phasor::access {
namespace {

constexpr size_t kMaxTenant = 64;

}  // namespace

bool IsValidTenant(std::string_view tenant) {
  return !tenant.empty() && tenant.size() <= kMaxTenant &&
         std::all_of(tenant.begin(), tenant.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 ||
                  std::string_view(".-_:@/").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

Status CheckGrant(RoleSet roles, std::string_view tenant) {
  if (roles.empty()) return InvalidArgument("it has no role");
  if (!tenant.empty() && !IsValidTenant(tenant)) {
    return InvalidArgument("a tenant's name has 1 to 64 letters, digits or .-_:@/");
  }
  if (tenant.empty() && roles.Meets({Role::kDraw, Role::kRead})) {
    return InvalidArgument("who draws or reads does so for a tenant, and none is named");
  }
  return OkStatus();
}

job::Caller CallerOf(const Identity& identity) {
  return {.tenant = identity.tenant,
          .role = identity.roles.Has(Role::kOperate) ? job::Role::kOperator : job::Role::kClient};
}

}  // namespace phasor::access
