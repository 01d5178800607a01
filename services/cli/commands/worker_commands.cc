#include "services/cli/commands/worker_commands.h"

#include <memory>
#include <string>

#include "services/cli/text/job_text.h"

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

void AddWorkerCommands(flags::Command& line, Session& session, int* exit_code) {
  flags::Command& worker =
      line.AddCommand("worker", "list workers, empty one, move a job elsewhere");
  worker.RequiresCommand();
  worker.TakesFlagsOfOthers();
  flags::Command& list = worker.AddCommand("list", "workers that report to the gateway");
  list.Runs([&session, exit_code] { *exit_code = List(session); });

  auto name = std::make_shared<std::string>();
  flags::Command& drain =
      worker.AddCommand("drain", "have a worker give its job back and take no other");
  drain.Text("name", name.get(), "of the worker").Required();
  drain.Runs([&session, name, exit_code] { *exit_code = Drain(session, *name); });

  flags::Command& migrate = worker.AddCommand(
      "migrate", "have a worker give its job to another one and go on; prints the job's id");
  migrate.Text("name", name.get(), "of the worker").Required();
  migrate.Runs([&session, name, exit_code] { *exit_code = Migrate(session, *name); });
}

}  // namespace phasor::cli
