// `phasor` in this process: words in, exit code and both outputs out, against a gateway made of the
// services that a test gives. One thread.
#pragma once

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include "common/rpc/server.h"
#include "services/cli/commands/admin_commands.h"
#include "services/cli/commands/fleet_commands.h"
#include "services/cli/commands/job_commands.h"
#include "services/cli/commands/key_commands.h"
#include "services/cli/commands/verify_command.h"
#include "services/cli/commands/worker_commands.h"
#include "services/cli/draw/generate_command.h"
#include "services/cli/turn.h"

namespace phasor::cli {

class CommandFixture : public ::testing::Test {
 protected:
  // The services outlive the fixture's server.
  explicit CommandFixture(const std::vector<grpc::Service*>& services)
      : server_(*rpc::Server::Start({.address = "127.0.0.1:0"}, services)) {}

  // The exit code; fills out_ and err_. What was set before is there for the handlers, and what
  // they left is there afterwards.
  int Run(const std::vector<std::string>& words) {
    out_.str("");
    err_.str("");
    Session session{.out = out_,
                    .err = err_,
                    .environment = [](const std::string&) { return std::nullopt; },
                    .interrupt = interrupt_,
                    .addresses = {server_->address()}};
    int code = kOk;
    flags::CommandLine line("phasor", "phasor");
    line.TakesFlagsOfOthers();
    line.Flag("--json", &session.json, "");
    line.Flag("-q,--quiet", &session.quiet, "");
    AddGenerate(line, session, &code);
    AddVerify(line, session, &code);
    AddJobCommands(line, session, &code);
    AddFleetCommands(line, session, &code);
    AddAdminCommands(line, session, &code);
    AddWorkerCommands(line, session, &code);
    AddKeyCommands(line, session, &code);
    { const Turn before; }
    if (!line.Parse(words, out_).ok()) code = kUsage;
    { const Turn after; }
    return code;
  }

  // Its thread waits for signals for as long as the process lives.
  static inline Interrupt& interrupt_ = *std::make_unique<Interrupt>().release();
  std::unique_ptr<rpc::Server> server_;
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace phasor::cli
