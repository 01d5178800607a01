#include "services/cli/commands/job_commands.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include "services/cli/draw/request_flags.h"
#include "services/cli/text/job_text.h"
#include "services/cli/text/output_files.h"

namespace phasor::cli {
namespace {

ExitCode Submit(Session& session, const RequestFlags& flags) {
  const auto requests = MakeRequests(flags);
  if (!requests.ok()) return session.Report(requests.status());
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  for (const v1::GenerateRequest& request : *requests) {
    const auto response = (*client)->Submit(request);
    if (!response.ok()) return session.Report(response.status());
    session.out << (session.json ? Json(*response) : response->job_id()) << std::endl;
  }
  return kOk;
}

ExitCode Watch(Session& session, const std::string& id) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  ProgressView view(session.err, session.progress_style());
  const auto ended = (*client)->Watch(id, false, [&](const v1::WatchEvent& event) {
    if (session.json) {
      session.out << Json(event) << std::endl;
    } else {
      view.Show(event);
    }
  });
  view.Clear();
  if (!ended.ok()) return session.Report(ended.status());
  if (!session.json) session.out << EndingText(*ended) << std::endl;
  return ExitCodeOf(*ended);
}

ExitCode Get(Session& session, const std::string& id, const std::string& output) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  v1::GetJobRequest request;
  request.set_job_id(id);
  const auto job = (*client)->Ask(&v1::Images::Stub::Get, request);
  if (!job.ok()) return session.Report(job.status());
  std::vector<std::string> names;
  if (!output.empty()) {
    const auto pictures = (*client)->Pictures(job->id());
    if (!pictures.ok()) return session.Report(pictures.status());
    auto written = OutputFiles(output, ".").Write(job->request().prompt(), *pictures);
    if (!written.ok()) return session.Report(written.status());
    names = *std::move(written);
  }
  if (session.json) {
    session.out << JobJson(*job, names) << std::endl;
  } else if (output.empty()) {
    session.out << JobText(*job);
  } else {
    for (const std::string& name : names) session.out << name << std::endl;
  }
  return kOk;
}

ExitCode Cancel(Session& session, const std::vector<std::string>& ids) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  ExitCode worst = kOk;
  for (const std::string& id : ids) {
    const auto job = (*client)->Cancel(id);
    if (!job.ok()) {
      worst = session.Report(job.status());
      continue;
    }
    session.out << (session.json ? Json(*job) : EndingText(*job)) << std::endl;
    // A cancel that came too late did not do what was asked.
    if (job->state() != v1::CANCELED) worst = kFailed;
  }
  return worst;
}

struct ListFlags {
  std::string model;
  std::vector<std::string> states;
  int limit = 20;
};

StatusOr<v1::ListJobsRequest> MakeListRequest(const ListFlags& flags) {
  v1::ListJobsRequest request;
  request.set_model(flags.model);
  for (std::string name : flags.states) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    v1::JobState state;
    if (!v1::JobState_Parse(name, &state) || state == v1::JOB_STATE_UNSPECIFIED) {
      return InvalidArgument("--state: there is no state '" + name +
                             "'; try queued, diffusion_running, done, failed or canceled");
    }
    request.add_states(state);
  }
  return request;
}

ExitCode List(Session& session, const ListFlags& flags) {
  auto request = MakeListRequest(flags);
  if (!request.ok()) return session.Report(request.status());
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  int left = flags.limit;
  bool begun = session.json;
  while (left > 0) {
    request->set_page_size(std::min(left, 1000));
    const auto page = (*client)->Ask(&v1::Images::Stub::List, *request);
    if (!page.ok()) return session.Report(page.status());
    if (!std::exchange(begun, true)) session.out << JobHeader() << std::endl;
    for (const v1::Job& job : page->jobs()) {
      session.out << (session.json ? Json(job) : JobRow(job)) << std::endl;
      --left;
    }
    if (page->next_page_token().empty()) break;
    request->set_page_token(page->next_page_token());
  }
  return kOk;
}

}  // namespace

void AddJobCommands(flags::Command& line, Session& session, int* exit_code) {
  auto request = std::make_shared<RequestFlags>();
  flags::Command& submit = line.AddCommand("submit", "queue jobs and print their ids");
  AddRequestFlags(submit, request.get());
  submit.Runs([&session, request, exit_code] { *exit_code = Submit(session, *request); });

  auto id = std::make_shared<std::string>();
  flags::Command& watch = line.AddCommand("watch", "follow a job to its end");
  watch.Text("job", id.get(), "its id").Required();
  watch.Runs([&session, id, exit_code] { *exit_code = Watch(session, *id); });

  auto output = std::make_shared<std::string>();
  flags::Command& get = line.AddCommand("get", "show a job, or fetch its pictures");
  get.Text("job", id.get(), "its id").Required();
  get.Text("-o,--output", output.get(), "where its pictures go");
  get.Runs([&session, id, output, exit_code] { *exit_code = Get(session, *id, *output); });

  auto ids = std::make_shared<std::vector<std::string>>();
  flags::Command& cancel = line.AddCommand("cancel", "end jobs that have not ended");
  cancel.Texts("job", ids.get(), "their ids").Required();
  cancel.Runs([&session, ids, exit_code] { *exit_code = Cancel(session, *ids); });

  auto list = std::make_shared<ListFlags>();
  flags::Command& jobs = line.AddCommand("jobs", "list jobs, newest first");
  jobs.Text("--model", &list->model, "only of this model");
  jobs.Texts("--state", &list->states, "only in these states, e.g. queued, done, failed");
  jobs.Whole("--limit", &list->limit, "at most so many", 1, 100'000);
  jobs.Runs([&session, list, exit_code] { *exit_code = List(session, *list); });
}

}  // namespace phasor::cli
