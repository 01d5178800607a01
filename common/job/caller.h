// Who asks: what decides which jobs there are for a call. A plain value that goes with every
// question about a job, so that no path forgets to ask for whom.
#pragma once

#include <string>
#include <string_view>

namespace phasor::job {

enum class Role {
  kClient,    // a tenant's jobs, or everybody's where it names no tenant
  kOperator,  // everybody's: upkeep, and people who look after a fleet
};

struct Caller {
  std::string tenant;
  Role role = Role::kClient;

  // The one tenant whose jobs it sees; empty: all jobs.
  std::string_view only_tenant() const {
    return role == Role::kOperator ? std::string_view() : std::string_view(tenant);
  }
  // To a caller that does not see a job there is none: NOT_FOUND, as for one that never was.
  bool Sees(std::string_view tenant_of_job) const {
    const std::string_view only = only_tenant();
    return only.empty() || only == tenant_of_job;
  }

  bool operator==(const Caller&) const = default;
};

// Whoever looks after all jobs.
inline Caller Operator() { return {.tenant = "", .role = Role::kOperator}; }

}  // namespace phasor::job
