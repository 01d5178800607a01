// phasor: the command line. Commands that talk to a gateway, and `up`, which runs a fleet.
#include <unistd.h>

#include <iostream>

#include "common/log/log.h"
#include "common/rpc/grpc_log.h"
#include "services/cli/commands/admin_commands.h"
#include "services/cli/commands/fleet_commands.h"
#include "services/cli/commands/job_commands.h"
#include "services/cli/commands/key_commands.h"
#include "services/cli/commands/verify_command.h"
#include "services/cli/commands/worker_commands.h"
#include "services/cli/draw/generate_command.h"
#include "services/cli/link/completion.h"
#include "services/cli/link/link_flags.h"
#include "services/cli/up/up_command.h"

namespace phasor::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 the job failed or expired (or anything unforeseen), 2 wrong arguments,\n"
    "3 no gateway answers, 4 no such job, model or worker, 5 cancelled, 6 refused for now (queue "
    "full), 7 not permitted (no key, or one without the role).";

int Main(int argc, char** argv) {
  Interrupt interrupt;
  log::Configure({.level = log::Level::kOff});
  rpc::RouteGrpcLog();
  Session session{.out = std::cout,
                  .err = std::cerr,
                  .terminal = isatty(STDERR_FILENO) == 1,
                  .environment = ProcessEnvironment,
                  .interrupt = interrupt,
                  .addresses = {}};
  int exit_code = kOk;
  flags::CommandLine line("phasor",
                          "phasor: a prompt becomes a picture, through a fleet of workers.");
  line.Footer(kFooter);
  line.RequiresCommand();
  line.TakesFlagsOfOthers();
  line.Version(PHASOR_VERSION);
  AddLinkFlags(line, session);
  line.Flag("--json", &session.json, "results as lines of JSON");
  line.Flag("-q,--quiet", &session.quiet, "no progress");
  AddGenerate(line, session, &exit_code);
  AddVerify(line, session, &exit_code);
  AddJobCommands(line, session, &exit_code);
  AddFleetCommands(line, session, &exit_code);
  AddAdminCommands(line, session, &exit_code);
  AddWorkerCommands(line, session, &exit_code);
  AddKeyCommands(line, session, &exit_code);
  AddUp(line, session, &exit_code);
  AddCompletion(line, session.out);
  const auto parsed = line.Parse(argc, argv, std::cout);
  if (!parsed.ok()) {
    std::cerr << "phasor: " << parsed.status().message() << "\nSee 'phasor --help'.\n";
    return kUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace phasor::cli

int main(int argc, char** argv) { return phasor::cli::Main(argc, argv); }
