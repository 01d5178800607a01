// What a credential lets its holder do. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::access {

enum class Role : uint8_t {
  kDraw,     // submit jobs of its tenant, cancel and redrive them
  kRead,     // see its tenant's jobs and pictures
  kOperate,  // look after the fleet: every job, the queue, workers, keys
  kWork,     // be a worker: report, be told what to do
};
inline constexpr Role kAllRoles[] = {Role::kDraw, Role::kRead, Role::kOperate, Role::kWork};

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) bits_ = static_cast<uint8_t>(bits_ | Bit(role));
  }

  constexpr void Add(Role role) { bits_ = static_cast<uint8_t>(bits_ | Bit(role)); }
  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  constexpr bool Meets(RoleSet others) const { return (bits_ & others.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const RoleSet&) const = default;

 private:
  static constexpr uint8_t Bit(Role role) { return uint8_t(1u << static_cast<uint8_t>(role)); }
  uint8_t bits_ = 0;
};

// "draw", "read", "operate", "work".
std::string_view ToString(Role role);
// INVALID_ARGUMENT names the word and says which there are.
StatusOr<RoleSet> ParseRoles(const std::vector<std::string>& words);
std::vector<std::string> Words(RoleSet roles);
// "draw,read".
std::string ToString(RoleSet roles);

}  // namespace phasor::access
