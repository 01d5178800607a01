// phasor: the command line. Commands that talk to a gateway, and `up`, which runs a fleet.
#include <unistd.h>

#include <iostream>

#include <CLI/CLI.hpp>

#include "common/log/log.h"
#include "common/rpc/grpc_log.h"
#include "services/cli/admin_commands.h"
#include "services/cli/completion.h"
#include "services/cli/fleet_commands.h"
#include "services/cli/generate_command.h"
#include "services/cli/job_commands.h"
#include "services/cli/up/up_command.h"
#include "services/cli/worker_commands.h"

namespace phasor::cli {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 the job failed or expired (or anything unforeseen), 2 wrong arguments,\n"
    "3 no gateway answers, 4 no such job, model or worker, 5 cancelled, 6 refused for now (queue "
    "full).";

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
  CLI::App app("phasor: a prompt becomes a picture, through a fleet of workers.", "phasor");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", PHASOR_VERSION);
  app.add_option("--address", session.addresses,
                 "of a gateway, host:port or unix:/path; of several with commas between them, or "
                 "repeated; default: PHASOR_ADDRESS, the running 'phasor up', 127.0.0.1:50051")
      ->allow_extra_args(false);
  app.add_flag("--json", session.json, "results as lines of JSON");
  app.add_flag("-q,--quiet", session.quiet, "no progress");
  AddGenerate(app, session, &exit_code);
  AddJobCommands(app, session, &exit_code);
  AddFleetCommands(app, session, &exit_code);
  AddAdminCommands(app, session, &exit_code);
  AddWorkerCommands(app, session, &exit_code);
  AddUp(app, session, &exit_code);
  AddCompletion(app, session.out);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);
    std::cerr << "phasor: " << error.what() << "\nSee 'phasor --help'.\n";
    return kUsage;
  }
  return exit_code;
}

}  // namespace
}  // namespace phasor::cli

int main(int argc, char** argv) { return phasor::cli::Main(argc, argv); }
