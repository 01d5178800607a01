#include "services/cli/commands/fleet_commands.h"

#include <memory>

#include "common/metrics/admin_client.h"
#include "services/cli/commands/doctor_command.h"
#include "services/cli/text/job_text.h"

namespace phasor::cli {
namespace {

constexpr Millis kOrderTimeout{330'000};  // a job in hand goes before

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
  const auto answer = metrics::AskAdmin(
      target, kProbePatience, {.files = session.tls.files, .server_name = session.tls.server_name});
  if (!answer.ok()) {
    session.err << "phasor: " << Message(answer.status()) << std::endl;
    return ExitCodeOf(answer.status());
  }
  constexpr int kFine = 200;
  std::ostream& out = answer->code == kFine ? session.out : session.err;
  if (!session.quiet) out << answer->body << std::flush;
  return answer->code == kFine ? kOk : kFailed;
}

struct ModelFlags {
  std::string name;
  std::string worker;
  bool pin = false;
  int workers = 1;
};

ExitCode Show(Session& session, const StatusOr<v1::Model>& model) {
  if (!model.ok()) return session.Report(model.status());
  session.out << (session.json ? Json(*model) + "\n" : ModelText(*model)) << std::flush;
  return kOk;
}

ExitCode Load(Session& session, const ModelFlags& flags) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  v1::LoadModelRequest request;
  request.set_name(flags.name);
  request.set_worker(flags.worker);
  request.set_pin(flags.pin);
  return Show(session, (*client)->Ask(&v1::Models::Stub::Load, request, kOrderTimeout));
}

ExitCode Unload(Session& session, const ModelFlags& flags) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  v1::UnloadModelRequest request;
  request.set_name(flags.name);
  request.set_worker(flags.worker);
  return Show(session, (*client)->Ask(&v1::Models::Stub::Unload, request, kOrderTimeout));
}

ExitCode Preload(Session& session, const ModelFlags& flags) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  v1::PreloadModelRequest request;
  request.set_name(flags.name);
  request.set_workers(flags.workers);
  return Show(session, (*client)->Ask(&v1::Models::Stub::Preload, request));
}

// Which workers hold a model.
void AddModelOrders(flags::Command& models, Session& session, int* exit_code) {
  auto flags = std::make_shared<ModelFlags>();
  flags::Command& load =
      models.AddCommand("load", "have a worker load a model, and wait until it has");
  load.Text("name", &flags->name, "of the model").Required();
  load.Text("--worker", &flags->worker, "its name; default: the gateway chooses");
  load.Flag("--pin", &flags->pin, "it stays in memory until it is unloaded");
  load.Runs([&session, flags, exit_code] { *exit_code = Load(session, *flags); });
  flags::Command& unload =
      models.AddCommand("unload", "have workers give a model up, pinned or not");
  unload.Text("name", &flags->name, "of the model").Required();
  unload.Text("--worker", &flags->worker, "its name; default: all");
  unload.Runs([&session, flags, exit_code] { *exit_code = Unload(session, *flags); });
  flags::Command& preload =
      models.AddCommand("preload", "see to it that so many workers will hold a model");
  preload.Text("name", &flags->name, "of the model").Required();
  preload.Whole("--workers", &flags->workers, "how many", 1, 100'000);
  preload.Runs([&session, flags, exit_code] { *exit_code = Preload(session, *flags); });
}

}  // namespace

void AddFleetCommands(flags::Command& line, Session& session, int* exit_code) {
  auto name = std::make_shared<std::string>();
  flags::Command& models = line.AddCommand("models", "list the models with defaults and limits");
  models.Text("model", name.get(), "only this one");
  models.TakesFlagsOfOthers();
  models.RunsAlone([&session, name, exit_code] { *exit_code = Models(session, *name); });
  AddModelOrders(models, session, exit_code);
  AddPlan(models, session, exit_code);
  AddDoctor(line, session, exit_code);

  flags::Command& stats = line.AddCommand("stats", "show queues and workers");
  stats.Runs([&session, exit_code] { *exit_code = Stats(session); });

  auto target = std::make_shared<std::string>();
  flags::Command& probe =
      line.AddCommand("probe", "ask a process's operations port, for health checks of containers");
  probe
      .Text("target", target.get(),
            "host:port of --metrics; host:port/path: not /readyz; https://host:port")
      .Required();
  probe.Runs([&session, target, exit_code] { *exit_code = Probe(session, *target); });
}

}  // namespace phasor::cli
