#include "services/cli/text/job_text.h"

#include <cstdarg>
#include <cstdio>
#include <ctime>

#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include "common/base/byte_size.h"
#include "common/base/number.h"
#include "common/rpc/status_details.h"
#include "services/cli/text/progress_view.h"

namespace phasor::cli {
namespace {

std::string Text(const char* format, ...) __attribute__((format(printf, 1, 2)));

std::string Text(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return text;
}

// Of each tenant; from 10^15 on it is no bound (admin.proto).
std::string QuotaText(int64_t quota) {
  constexpr int64_t kNoQuota = 1'000'000'000'000'000;
  return quota >= kNoQuota ? "none" : std::to_string(quota) + " a minute";
}

// Local time.
std::string Time(int64_t ms) {
  if (ms == 0) return "-";
  const std::time_t seconds = ms / 1000;
  std::tm broken{};
  localtime_r(&seconds, &broken);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &broken);
  return text;
}

std::string Join(const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : ", ") + word;
  return line;
}

// "25, 1 to 150: denoising steps"
std::string ParameterText(const v1::Parameter& parameter) {
  std::string text = parameter.default_value();
  const auto add = [&](const std::string& more) {
    text.append(text.empty() ? "" : ", ").append(more);
  };
  const bool bytes = parameter.type() == "text";
  if (parameter.has_low() && parameter.has_high()) {
    add(NumberText(parameter.low()) + " to " + NumberText(parameter.high()));
  } else if (parameter.has_high()) {
    add("at most " + NumberText(parameter.high()) + (bytes ? " bytes" : " items"));
  }
  if (parameter.has_multiple_of()) add("a multiple of " + NumberText(parameter.multiple_of()));
  if (parameter.words_size() > 0) add(Join(parameter.words()));
  return text + (text.empty() ? "" : ": ") + parameter.description();
}

std::string Seconds(const v1::Result& result) {
  std::string line;
  for (const v1::PhaseTiming& timing : result.timings()) {
    line += Text("%s%s %.2f s", line.empty() ? "" : ", ", timing.phase().c_str(), timing.seconds());
  }
  return line;
}

std::string Bytes(int64_t bytes) { return ByteSizeText(static_cast<uint64_t>(bytes)); }

// What a picture took of a device's memory, and how; empty where nobody measured.
std::string MemoryOf(const v1::Result& result) {
  std::string text;
  if (result.from_cache()) text += "memory    none: an equal request was drawn before\n";
  if (result.peak_memory_bytes() > 0) {
    text += "memory    " + Bytes(result.peak_memory_bytes()) + " at most on " + result.device() +
            " (" + Bytes(result.predicted_peak_bytes()) + " expected), " +
            v1::Strategy_Name(result.strategy()) + "\n";
  }
  return text;
}

// What of the device's memory is used for what, and which models hold what.
// "NVIDIA L4, capability 8.9, driver 580.65.06, 4GiB of 24GiB used, 87 % busy, ..."
std::string CardOf(const v1::Gpu& gpu) {
  std::string text = "  card    " + gpu.name() + ", capability " + gpu.compute_capability();
  if (!gpu.driver().empty()) text += ", driver " + gpu.driver();
  text += gpu.has_memory_used_bytes() ? ", " + Bytes(gpu.memory_used_bytes()) + " of " : ", ";
  text += Bytes(gpu.memory_total_bytes()) + (gpu.has_memory_used_bytes() ? " used" : "");
  if (gpu.has_utilization_percent()) text += Text(", %d %% busy", gpu.utilization_percent());
  if (gpu.has_temperature_celsius()) text += Text(", %d degrees", gpu.temperature_celsius());
  if (gpu.has_power_watts()) text += Text(", %.0f W", gpu.power_watts());
  if (gpu.has_uncorrected_ecc_errors()) {
    text +=
        Text(", %lld uncorrected ECC errors", static_cast<long long>(gpu.uncorrected_ecc_errors()));
  }
  if (gpu.xid_errors() > 0) {
    text += Text(", %lld Xid errors, the last %lld", static_cast<long long>(gpu.xid_errors()),
                 static_cast<long long>(gpu.last_xid()));
  }
  return text + (gpu.mig() ? ", in parts (MIG)\n" : "\n");
}

std::string MemoryOf(const v1::WorkerStats& worker) {
  if (worker.memory_state().empty()) return "";
  std::string text = "  memory  " + worker.memory_state() + ", ";
  text += worker.memory_bound_bytes() > 0
              ? Bytes(worker.memory_used_bytes()) + " of " + Bytes(worker.memory_bound_bytes())
              : std::string("no bound");
  for (const v1::MemoryShare& share : worker.memory()) {
    text += ", " + share.kind() + " " + Bytes(share.bytes());
  }
  if (worker.memory_fragmented_bytes() > 0) {
    text += ", " + Bytes(worker.memory_fragmented_bytes()) + " of " +
            Bytes(worker.memory_reserved_bytes()) + " reserved in pieces";
  }
  text += ", " + v1::Strategy_Name(worker.strategy()) + "\n";
  for (const v1::ModelMemory& model : worker.models()) {
    text += "  holds   " + model.model() + (model.pinned() ? " (pinned)" : "");
    std::string parts;
    for (const v1::MemoryShare& part : model.parts()) {
      parts += parts.empty() ? ": " : ", ";
      parts += part.kind() + " " + Bytes(part.bytes());
    }
    text += (parts.empty() ? std::string(": nothing of it on the device") : parts) + "\n";
  }
  return text;
}

}  // namespace

std::string Json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : "{}";
}

std::string JobJson(const v1::Job& job, const std::vector<std::string>& files) {
  nlohmann::json object = nlohmann::json::parse(Json(job), nullptr, false);
  if (!object.is_object()) object = nlohmann::json::object();
  object["files"] = files;
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string DegradationText(const v1::Degradation& degradation) {
  const std::string& action = degradation.action();
  std::string what = "went on with " + action;
  if (action == "idle_models") what = "idle models made way";
  if (action.starts_with("resolution")) what = "drawn smaller, " + action;
  return "memory did not suffice in " + degradation.phase() + ", unit " +
         std::to_string(degradation.unit()) + ": " + what;
}

std::string JobText(const v1::Job& job) {
  std::string text = "job       " + job.id() + "\nstate     " + StateWord(job.state()) + "\n";
  text += "model     " + job.model() + "\ncreated   " + Time(job.created_ms()) + "\n";
  if (job.finished_ms() > 0) text += "finished  " + Time(job.finished_ms()) + "\n";
  if (job.state() == v1::QUEUED && job.queue_position() >= 0) {
    text += Text("before it %lld\n", static_cast<long long>(job.queue_position()));
  }
  if (job.steps() > 0) text += Text("step      %d of %d\n", job.step(), job.steps());
  if (!job.worker().empty()) text += "worker    " + job.worker() + "\n";
  if (job.tries() + job.crashes() > 0) {
    text += Text("setbacks  %d failures, %d workers lost\n", job.tries(), job.crashes());
  }
  if (job.has_error()) text += "error     " + job.error().message() + "\n";
  for (const v1::ImageResult& image : job.result().images()) {
    text += Text("picture   %d: %dx%d, seed %lld, %lld bytes, sha256 %s\n", image.index(),
                 image.width(), image.height(), static_cast<long long>(image.seed()),
                 static_cast<long long>(image.size_bytes()), image.sha256().c_str());
  }
  for (const std::string& warning : job.result().warnings()) text += "note      " + warning + "\n";
  for (const v1::Degradation& one : job.result().degradations()) {
    text += "note      " + DegradationText(one) + "\n";
  }
  text += MemoryOf(job.result());
  if (job.result().timings_size() > 0) text += "took      " + Seconds(job.result()) + "\n";
  return text;
}

std::string JobHeader() {
  return Text("%-32s  %-18s  %-16s  %-19s  %s", "JOB", "STATE", "MODEL", "CREATED", "NOTE");
}

std::string JobRow(const v1::Job& job) {
  return Text("%-32s  %-18s  %-16s  %-19s  %s", job.id().c_str(), StateWord(job.state()).c_str(),
              job.model().c_str(), Time(job.created_ms()).c_str(),
              job.error().message().substr(0, 200).c_str());
}

std::string ModelText(const v1::Model& model) {
  std::string text = model.name() + "  (" + model.family() + ")\n";
  if (!model.description().empty()) text += "  " + model.description() + "\n";
  const v1::ModelDefaults& defaults = model.defaults();
  const v1::ModelLimits& limits = model.limits();
  text += Text("  defaults    %dx%d, %d steps, guidance %g%s%s\n", defaults.width(),
               defaults.height(), defaults.steps(), defaults.guidance_scale(),
               defaults.scheduler().empty() ? "" : ", ", defaults.scheduler().c_str());
  text += Text("  limits      %d to %d pixels in multiples of %d, %d steps, %d images\n",
               limits.min_size(), limits.max_size(), limits.size_multiple(), limits.max_steps(),
               limits.max_images());
  text += "  schedulers  " + Join(model.schedulers()) + "\n";
  text += Text("  now         %d workers, %d of them hold it, %lld queued, %lld running\n",
               model.workers_ready(), model.workers_resident(),
               static_cast<long long>(model.queued()), static_cast<long long>(model.running()));
  for (const v1::WeightsHeld& held : model.weights()) {
    text += "  weights     " + held.digest().substr(0, 12) + " on " + Join(held.workers()) + "\n";
  }
  if (model.weights_size() > 1) {
    text += "  WARNING     these workers draw different pictures of the same request\n";
  }
  for (const v1::Parameter& parameter : model.parameters()) {
    text += Text("  %-18s", parameter.name().c_str()) + ParameterText(parameter) + "\n";
  }
  return text;
}

std::string StatsText(const v1::StatsResponse& stats) {
  std::string text =
      Text("gateway %s, version %s, up %.0f s%s\n", stats.gateway().c_str(),
           stats.version().c_str(), stats.uptime_seconds(), stats.paused() ? ", PAUSED" : "");
  if (!stats.job_loss().empty()) text += "WARNING jobs may be lost: " + stats.job_loss() + "\n";
  text += Text("jobs    %lld open, %lld dead letters\n", static_cast<long long>(stats.live_jobs()),
               static_cast<long long>(stats.dead_letters()));
  for (const v1::QueueDepth& queue : stats.queues()) {
    int64_t ready = 0;
    for (const v1::ClassDepth& depth : queue.classes()) ready += depth.ready();
    text += Text("queue   %s: %lld ready, %lld running, %lld delayed, oldest %.1f s\n",
                 queue.model().c_str(), static_cast<long long>(ready),
                 static_cast<long long>(queue.running()), static_cast<long long>(queue.delayed()),
                 queue.oldest_age_seconds());
  }
  for (const v1::WorkerStats& worker : stats.workers()) text += "worker  " + WorkerText(worker);
  return text;
}

std::string WorkerText(const v1::WorkerStats& worker) {
  return Text("%s on %s (%s): %s%s%s, %lld jobs done, %.0f MiB, up %.0f s\n", worker.name().c_str(),
              worker.node().c_str(), worker.device().c_str(), worker.state().c_str(),
              worker.job_id().empty() ? "" : " with ", worker.job_id().c_str(),
              static_cast<long long>(worker.jobs_done()),
              static_cast<double>(worker.memory_used_bytes()) / (1 << 20),
              worker.uptime_seconds()) +
         (worker.has_gpu() ? CardOf(worker.gpu()) : "") + MemoryOf(worker);
}

std::string LimitsText(const v1::QueueLimits& limits) {
  std::string text = Text("max jobs         %lld\nmax per tenant   %lld\n",
                          static_cast<long long>(limits.max_jobs()),
                          static_cast<long long>(limits.max_per_tenant()));
  text += Text("max tries        %d\nmax crashes      %d\nstall            %g s\n",
               limits.max_tries(), limits.max_crashes(), limits.stall_seconds());
  text += Text("preempt after    %g s\npreempt floor    %g s\nmax preemptions  %d\n",
               limits.preempt_after_seconds(), limits.preempt_floor_seconds(),
               limits.max_preemptions());
  text += Text("max ended        %lld\nended memory     %d %%\n",
               static_cast<long long>(limits.max_ended()), limits.ended_memory_percent());
  if (!limits.has_pixel_steps_per_tenant()) return text;  // an older gateway
  text += Text("each tenant      pixel-steps %s, prompt bytes %s, result bytes %s\n",
               QuotaText(limits.pixel_steps_per_tenant()).c_str(),
               QuotaText(limits.prompt_bytes_per_tenant()).c_str(),
               QuotaText(limits.result_bytes_per_tenant()).c_str());
  return text;
}

std::string SweepText(const v1::StoreSweepReport& report) {
  std::string text =
      Text("looked at %lld objects; deleted %lld orphans, %lld checkpoints, ",
           static_cast<long long>(report.looked()), static_cast<long long>(report.orphans()),
           static_cast<long long>(report.checkpoints()));
  text += Text("%lld results, %lld records\n", static_cast<long long>(report.results()),
               static_cast<long long>(report.records()));
  if (report.unreadable() > 0) {
    text += Text("left alone: %lld jobs whose record can't be read\n",
                 static_cast<long long>(report.unreadable()));
  }
  return text;
}

std::string ErrorText(const Status& status, const std::string& address) {
  const auto violations = rpc::FieldViolationsOf(status);
  if (!violations.empty()) {
    std::string text = "the request is not accepted:";
    for (const FieldViolation& violation : violations) {
      text += "\n  " + violation.field + ": " + violation.description;
    }
    return text;
  }
  const std::string message = Message(status);
  if (const auto retry = rpc::RetryAfterOf(status)) {
    return message + Text("; try again in %.1f s", static_cast<double>(retry->count()) / 1000);
  }
  if (status.code() == StatusCode::kUnavailable) {
    std::string text = "the fleet at " + address + " can't serve";
    if (!message.empty()) text += " (" + message + ")";
    return text + ".\nIs it running? 'phasor up' starts one; --address says where it is.";
  }
  if (status.code() == StatusCode::kUnimplemented && message.empty()) {
    return "the gateway at " + address +
           " does not serve this call there.\nOperators may have a port of their own, which is "
           "--listen-admin of the gateway; or it is of another version.";
  }
  if (status.code() == StatusCode::kUnauthenticated) {
    return message + ".\n--credential-file or PHASOR_KEY_FILE name the file that holds a key.";
  }
  return message.empty() ? status.ToString() : message;
}

std::string EndingText(const v1::Job& job) {
  std::string text = "job " + job.id() + " " +
                     (job.state() == v1::CANCELED ? "was cancelled" : StateWord(job.state()));
  if (!job.error().message().empty()) text += ": " + job.error().message();
  return text;
}

}  // namespace phasor::cli
