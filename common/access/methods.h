// Which role may call which method of the gRPC services, and at which listener. A method that has
// no line here is refused to everybody: a test walks the descriptors of all services. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "common/access/role.h"

namespace phasor::access {

// Listeners for different callers; one address may be all of them.
enum class Door { kClients, kOperators, kWorkers };

struct MethodRule {
  std::string_view method;  // "/package.Service/Method"
  RoleSet roles;            // any of them will do; none: everybody, without a credential
  Door door = Door::kClients;
};

const std::vector<MethodRule>& MethodRules();
// nullptr: no rule, so nobody.
const MethodRule* RuleOf(std::string_view method);

}  // namespace phasor::access
