#include "services/cli/commands/admin_commands.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/byte_size.h"
#include "services/cli/text/job_text.h"

namespace phasor::cli {
namespace {

constexpr int kMaxPage = 1000;
constexpr Millis kCleanupTimeout{3'600'000};  // a walk over the whole store

// Pause and Resume: a call without a request worth naming, and a word about what holds now.
template <typename Method, typename Request>
ExitCode Switch(Session& session, Method method, const Request& request, const char* word) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  const auto answer = (*client)->Ask(method, request);
  if (!answer.ok()) return session.Report(answer.status());
  session.out << (session.json ? Json(*answer) : std::string(word)) << std::endl;
  return kOk;
}

struct LimitFlags {
  std::optional<int64_t> max_jobs;
  std::optional<int64_t> max_per_tenant;
  std::optional<int> max_tries;
  std::optional<int> max_crashes;
  std::optional<double> stall;
  std::optional<double> preempt_after;
  std::optional<double> preempt_floor;
  std::optional<int> max_preemptions;
  std::optional<int64_t> max_ended;
  std::optional<int> ended_memory_percent;
  std::optional<int64_t> pixel_steps_per_tenant;
  std::optional<int64_t> prompt_bytes_per_tenant;
  std::optional<int64_t> result_bytes_per_tenant;
  std::optional<std::string> tenant;
  std::optional<int64_t> max_open;
  std::optional<int64_t> max_running;
  std::optional<int64_t> weight;
  std::optional<int64_t> pixel_steps;
  std::optional<int64_t> prompt_bytes;
  std::optional<int64_t> result_bytes;
};

v1::SetLimitsRequest MakeLimitsRequest(const LimitFlags& flags) {
  v1::SetLimitsRequest request;
  v1::QueueLimits* queue = request.mutable_queue();
  if (flags.max_jobs) queue->set_max_jobs(*flags.max_jobs);
  if (flags.max_per_tenant) queue->set_max_per_tenant(*flags.max_per_tenant);
  if (flags.max_tries) queue->set_max_tries(*flags.max_tries);
  if (flags.max_crashes) queue->set_max_crashes(*flags.max_crashes);
  if (flags.stall) queue->set_stall_seconds(*flags.stall);
  if (flags.preempt_after) queue->set_preempt_after_seconds(*flags.preempt_after);
  if (flags.preempt_floor) queue->set_preempt_floor_seconds(*flags.preempt_floor);
  if (flags.max_preemptions) queue->set_max_preemptions(*flags.max_preemptions);
  if (flags.max_ended) queue->set_max_ended(*flags.max_ended);
  if (flags.ended_memory_percent) queue->set_ended_memory_percent(*flags.ended_memory_percent);
  if (const auto& most = flags.pixel_steps_per_tenant) queue->set_pixel_steps_per_tenant(*most);
  if (const auto& most = flags.prompt_bytes_per_tenant) queue->set_prompt_bytes_per_tenant(*most);
  if (const auto& most = flags.result_bytes_per_tenant) queue->set_result_bytes_per_tenant(*most);
  if (!flags.tenant) return request;
  v1::TenantLimits* tenant = request.mutable_tenant();
  tenant->set_tenant(*flags.tenant);
  if (flags.max_open) tenant->set_max_open(*flags.max_open);
  if (flags.max_running) tenant->set_max_running(*flags.max_running);
  if (flags.weight) tenant->set_weight(*flags.weight);
  if (flags.pixel_steps) tenant->set_pixel_steps(*flags.pixel_steps);
  if (flags.prompt_bytes) tenant->set_prompt_bytes(*flags.prompt_bytes);
  if (flags.result_bytes) tenant->set_result_bytes(*flags.result_bytes);
  return request;
}

ExitCode Limits(Session& session, const LimitFlags& flags) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  const auto answer = (*client)->Ask(&v1::Admin::Stub::SetLimits, MakeLimitsRequest(flags));
  if (!answer.ok()) return session.Report(answer.status());
  session.out << (session.json ? Json(*answer) + "\n" : LimitsText(answer->queue())) << std::flush;
  return kOk;
}

ExitCode Cleanup(Session& session, const std::string& worker) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  v1::CleanupRequest request;
  request.set_worker(worker);
  const auto answer = (*client)->Ask(&v1::Admin::Stub::Cleanup, request, kCleanupTimeout);
  if (!answer.ok()) return session.Report(answer.status());
  const std::string text =
      worker.empty()
          ? SweepText(answer->store())
          : worker + " freed " + ByteSizeText(static_cast<uint64_t>(answer->freed_bytes())) + "\n";
  session.out << (session.json ? Json(*answer) + "\n" : text) << std::flush;
  return kOk;
}

// Gives dead letters to `each`, newest first, at most `limit`. An `each` that is not OK ends it.
Status ForEachDeadLetter(Client& client, int limit, const std::function<Status(v1::Job)>& each) {
  v1::DeadLettersRequest request;
  while (limit > 0) {
    request.set_page_size(std::min(limit, kMaxPage));
    ASSIGN_OR_RETURN(const v1::DeadLettersResponse page,
                     client.Ask(&v1::Admin::Stub::DeadLetters, request));
    for (const v1::Job& job : page.jobs()) RETURN_IF_ERROR(each(job));
    limit -= page.jobs_size();
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  return OkStatus();
}

ExitCode Dead(Session& session, int limit) {
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  bool begun = session.json;
  const Status listed = ForEachDeadLetter(**client, limit, [&](const v1::Job& job) {
    if (!std::exchange(begun, true)) session.out << JobHeader() << std::endl;
    session.out << (session.json ? Json(job) : JobRow(job)) << std::endl;
    return OkStatus();
  });
  return listed.ok() ? kOk : session.Report(listed);
}

ExitCode Redrive(Session& session, std::vector<std::string> ids, bool all) {
  if (all != ids.empty()) {
    return session.Report(InvalidArgument("give the ids of jobs, or --all, and not both"));
  }
  const auto client = session.Connect();
  if (!client.ok()) return session.Report(client.status());
  if (all) {
    constexpr int kNoLimit = 1 << 30;
    const Status listed = ForEachDeadLetter(**client, kNoLimit, [&](const v1::Job& job) {
      ids.push_back(job.id());
      return OkStatus();
    });
    if (!listed.ok()) return session.Report(listed);
  }
  ExitCode worst = kOk;
  for (const std::string& id : ids) {
    v1::RedriveRequest request;
    request.set_job_id(id);
    const auto job = (*client)->Ask(&v1::Images::Stub::Redrive, request);
    if (!job.ok()) {
      const ExitCode code = session.Report(Annotate(job.status(), id));
      if (worst == kOk) worst = code;
      continue;
    }
    session.out << (session.json ? Json(*job) : job->id()) << std::endl;
  }
  return worst;
}

void AddLimits(flags::Command& line, Session& session, int* exit_code) {
  auto flags = std::make_shared<LimitFlags>();
  flags::Command& limits = line.AddCommand("limits", "show the queue's limits, or change some");
  limits.Whole("--max-jobs", &flags->max_jobs, "open jobs in all");
  limits.Whole("--max-per-tenant", &flags->max_per_tenant, "open jobs of one tenant");
  limits.Whole("--max-tries", &flags->max_tries, "failures before a job is failed");
  limits.Whole("--max-crashes", &flags->max_crashes, "workers lost before a job is failed");
  limits.Number("--stall", &flags->stall, "seconds without progress before a lease ends");
  limits.Number("--preempt-after", &flags->preempt_after,
                "seconds that a more urgent job waits before another gives way");
  limits.Number("--preempt-floor", &flags->preempt_floor,
                "seconds that a job runs before it may have to give way");
  limits.Whole("--max-preemptions", &flags->max_preemptions,
               "how often a job gives way; 0: none does");
  limits.Whole("--max-ended", &flags->max_ended,
               "ended jobs that the queue remembers; the store has their records");
  limits.Whole("--ended-memory-percent", &flags->ended_memory_percent,
               "of Redis's memory, from which on it forgets ended jobs early");
  limits.Whole("--pixel-steps-per-tenant", &flags->pixel_steps_per_tenant,
               "quota a minute of each tenant that has none of its own: as --pixel-steps");
  limits.Whole("--prompt-bytes-per-tenant", &flags->prompt_bytes_per_tenant,
               "the same as --prompt-bytes");
  limits.Whole("--result-bytes-per-tenant", &flags->result_bytes_per_tenant,
               "the same as --result-bytes");
  const flags::Option tenant =
      limits.Text("--tenant", &flags->tenant,
                  "limits of this tenant; those of it that are not given go back to the default");
  limits.Whole("--max-open", &flags->max_open, "open jobs of the tenant").Needs(tenant);
  limits.Whole("--max-running", &flags->max_running, "running jobs of the tenant").Needs(tenant);
  limits.Whole("--weight", &flags->weight, "the tenant's share beside others").Needs(tenant);
  limits
      .Whole("--pixel-steps", &flags->pixel_steps,
             "quota: pixels times steps that its new jobs may come to in a minute")
      .Needs(tenant);
  limits.Whole("--prompt-bytes", &flags->prompt_bytes, "quota: of their prompts, likewise")
      .Needs(tenant);
  limits
      .Whole("--result-bytes", &flags->result_bytes,
             "quota: of their pictures before they are compressed, likewise")
      .Needs(tenant);
  limits.Runs([&session, flags, exit_code] { *exit_code = Limits(session, *flags); });
}

}  // namespace

void AddAdminCommands(flags::Command& line, Session& session, int* exit_code) {
  flags::Command& pause = line.AddCommand("pause", "take no jobs and start none until 'resume'");
  pause.Runs([&session, exit_code] {
    *exit_code = Switch(session, &v1::Admin::Stub::Pause, v1::PauseRequest(), "paused");
  });
  flags::Command& resume = line.AddCommand("resume", "end a pause");
  resume.Runs([&session, exit_code] {
    *exit_code = Switch(session, &v1::Admin::Stub::Resume, v1::ResumeRequest(), "running");
  });

  AddLimits(line, session, exit_code);

  flags::Command& cleanup = line.AddCommand(
      "cleanup", "delete now what the store of results no longer needs, and say what went");
  auto worker = std::make_shared<std::string>();
  cleanup.Text("--worker", worker.get(),
               "instead: drop caches and idle models of this worker, between two jobs");
  cleanup.Runs([&session, worker, exit_code] { *exit_code = Cleanup(session, *worker); });

  auto limit = std::make_shared<int>(20);
  flags::Command& dead =
      line.AddCommand("dead", "list dead letters: jobs that failed, newest first");
  dead.Whole("--limit", limit.get(), "at most so many", 1, 100'000);
  dead.Runs([&session, limit, exit_code] { *exit_code = Dead(session, *limit); });

  auto ids = std::make_shared<std::vector<std::string>>();
  auto all = std::make_shared<bool>(false);
  flags::Command& redrive =
      line.AddCommand("redrive", "run failed jobs again and print the ids of the new ones");
  redrive.Texts("job", ids.get(), "their ids");
  redrive.Flag("--all", all.get(), "all dead letters");
  redrive.Runs([&session, ids, all, exit_code] { *exit_code = Redrive(session, *ids, *all); });
}

}  // namespace phasor::cli
