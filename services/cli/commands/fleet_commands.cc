#include "services/cli/commands/fleet_commands.h"

#include <memory>

#include "common/metrics/admin_client.h"
#include "services/cli/text/job_text.h"

namespace phasor::cli {
namespace {

ExitCode Models(Session& session, const std::string& name) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  std::vector<v1::Model> models;
  if (name.empty()) {
    const auto list = (*client)->Ask(&v1::Models::Stub::List, v1::ListModelsRequest());
    if (!list.ok()) return session.Report(list.status());
    models.assign(list->models().begin(), list->models().end());
    for (const std::string& reason : list->left_out()) {
      session.err << "phasor: a model is left out: " << reason << std::endl;
    }
  } else {
    v1::GetModelRequest request;
    request.set_name(name);
    const auto model = (*client)->Ask(&v1::Models::Stub::Get, request);
    if (!model.ok()) return session.Report(model.status());
    models.push_back(*model);
  }
  for (const v1::Model& model : models) {
    session.out << (session.json ? Json(model) + "\n" : ModelText(model)) << std::flush;
  }
  return kOk;
}

ExitCode Stats(Session& session) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  const auto stats = (*client)->Ask(&v1::Admin::Stub::Stats, v1::StatsRequest());
  if (!stats.ok()) return session.Report(stats.status());
  session.out << (session.json ? Json(*stats) + "\n" : StatsText(*stats)) << std::flush;
  return kOk;
}

constexpr Millis kProbePatience{3'000};

// What the process says goes out as it came, so that /metrics can be read with it too.
ExitCode Probe(Session& session, const std::string& target) {
  const auto answer = metrics::AskAdmin(target, kProbePatience);
  if (!answer.ok()) {
    session.err << "phasor: " << Message(answer.status()) << std::endl;
    return ExitCodeOf(answer.status());
  }
  constexpr int kFine = 200;
  std::ostream& out = answer->code == kFine ? session.out : session.err;
  if (!session.quiet) out << answer->body << std::flush;
  return answer->code == kFine ? kOk : kFailed;
}

}  // namespace

void AddFleetCommands(flags::Command& line, Session& session, int* exit_code) {
  auto name = std::make_shared<std::string>();
  flags::Command& models = line.AddCommand("models", "list the models with defaults and limits");
  models.Text("model", name.get(), "only this one");
  models.Runs([&session, name, exit_code] { *exit_code = Models(session, *name); });

  flags::Command& stats = line.AddCommand("stats", "show queues and workers");
  stats.Runs([&session, exit_code] { *exit_code = Stats(session); });

  auto target = std::make_shared<std::string>();
  flags::Command& probe =
      line.AddCommand("probe", "ask a process's operations port, for health checks of containers");
  probe.Text("target", target.get(), "host:port of --metrics; host:port/path: not /readyz")
      .Required();
  probe.Runs([&session, target, exit_code] { *exit_code = Probe(session, *target); });
}

}  // namespace phasor::cli
