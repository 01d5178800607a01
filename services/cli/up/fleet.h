// A fleet on this machine: carries out what the supervisor decides, watches the processes, says
// when a job can be taken. One thread, the process's main thread (children end with it).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/client_tls.h"
#include "services/cli/link/session.h"
#include "services/cli/up/fleet_directory.h"
#include "services/cli/up/fleet_plan.h"
#include "services/cli/up/supervisor.h"

namespace phasor::cli {

class Fleet {
 public:
  // `gateways`: where they listen. Session and directory outlive the fleet.
  Fleet(Session& session, UpOptions options, std::vector<std::string> gateways,
        std::vector<ProcessPlan> plans, const FleetDirectory& directory);

  // Until it is interrupted or can't start. A second interrupt kills what still runs.
  Status Run();

 private:
  void Act(const std::vector<Supervisor::Action>& actions);
  void Start(size_t child);
  void ReapAll();
  void ObeyInterrupts();
  // Looks whether the stage that starts serves.
  Status Probe();
  // Of the owner's key; empty: nobody needs one.
  std::string key_file() const;
  // As clients have to say them.
  std::vector<std::string> ShownAddresses() const;
  rpc::ClientTlsWords Tls() const;
  // The last lines of the process's log, for a fleet that can't start.
  std::string LogTail(size_t child) const;

  Session& session_;
  const UpOptions options_;
  const std::vector<std::string> gateways_;
  const std::vector<ProcessPlan> plans_;
  const FleetDirectory& directory_;
  const SystemClock clock_;
  Supervisor supervisor_;
  std::map<pid_t, size_t> children_;
};

}  // namespace phasor::cli
