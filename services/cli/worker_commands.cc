#include "services/cli/worker_commands.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "services/cli/job_text.h"

namespace phasor::cli {
namespace {

ExitCode List(Session& session) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  const auto stats = (*client)->Ask(&v1::Admin::Stub::Stats, v1::StatsRequest());
  if (!stats.ok()) return session.Report(stats.status());
  for (const v1::WorkerStats& worker : stats->workers()) {
    session.out << (session.json ? Json(worker) + "\n" : WorkerText(worker)) << std::flush;
  }
  return kOk;
}

ExitCode Drain(Session& session, const std::string& name) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  v1::DrainRequest request;
  request.set_worker(name);
  const auto answer = (*client)->Ask(&v1::Admin::Stub::Drain, request);
  if (!answer.ok()) return session.Report(answer.status());
  session.out << (session.json ? Json(*answer) : name + " takes no further job") << std::endl;
  return kOk;
}

ExitCode Migrate(Session& session, const std::string& name) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  v1::MigrateRequest request;
  request.set_worker(name);
  const auto answer = (*client)->Ask(&v1::Admin::Stub::Migrate, request);
  if (!answer.ok()) return session.Report(answer.status());
  session.out << (session.json ? Json(*answer) : answer->job_id()) << std::endl;
  return kOk;
}

}  // namespace

void AddWorkerCommands(CLI::App& app, Session& session, int* exit_code) {
  CLI::App* worker = app.add_subcommand("worker", "list workers, empty one, move a job elsewhere");
  worker->require_subcommand(1);
  worker->fallthrough();
  CLI::App* list = worker->add_subcommand("list", "workers that report to the gateway");
  list->callback([&session, exit_code] { *exit_code = List(session); });

  auto name = std::make_shared<std::string>();
  CLI::App* drain =
      worker->add_subcommand("drain", "have a worker give its job back and take no other");
  drain->add_option("name", *name, "of the worker")->required();
  drain->callback([&session, name, exit_code] { *exit_code = Drain(session, *name); });

  CLI::App* migrate = worker->add_subcommand(
      "migrate", "have a worker give its job to another one and go on; prints the job's id");
  migrate->add_option("name", *name, "of the worker")->required();
  migrate->callback([&session, name, exit_code] { *exit_code = Migrate(session, *name); });
}

}  // namespace phasor::cli
