#include "services/gateway/grpc/limits_convert.h"

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "common/rpc/status_details.h"
#include "services/gateway/limit_bounds.h"

namespace phasor::gateway {
namespace {

constexpr size_t kMaxTenant = 256;

double Seconds(Millis time) { return static_cast<double>(time.count()) / 1000; }

// Takes over values that are in range and collects what is said about the others.
class Reader {
 public:
  explicit Reader(std::string prefix) : prefix_(std::move(prefix)) {}

  template <typename Number>
  bool InRange(const char* field, Number value, Number least, Number most) {
    if (value >= least && value <= most) return true;  // false for NaN
    std::ostringstream text;
    text << "must be between " << least << " and " << most << ", got " << value;
    violations_.push_back({prefix_ + field, text.str()});
    return false;
  }

  template <typename Target>
  void Count(const char* field, int64_t value, int64_t least, int64_t most, Target* target) {
    if (InRange(field, value, least, most)) *target = static_cast<Target>(value);
  }

  void Time(const char* field, double seconds, double least, Millis* target) {
    if (InRange(field, seconds, least, bounds::kSeconds))
      *target = Millis(std::llround(seconds * 1000));
  }

  Status status() const {
    return violations_.empty() ? OkStatus() : rpc::InvalidFields(violations_);
  }

 private:
  const std::string prefix_;
  std::vector<FieldViolation> violations_;
};

}  // namespace

v1::QueueLimits ToProto(const queue::QueueLimits& limits) {
  v1::QueueLimits shown;
  shown.set_max_jobs(limits.max_jobs);
  shown.set_max_per_tenant(limits.max_per_tenant);
  shown.set_max_running_per_tenant(limits.max_running_per_tenant);
  shown.set_max_tries(limits.max_tries);
  shown.set_max_crashes(limits.max_crashes);
  shown.set_stall_seconds(Seconds(limits.stall));
  shown.set_preempt_after_seconds(Seconds(limits.preempt_after));
  shown.set_preempt_floor_seconds(Seconds(limits.preempt_floor));
  shown.set_max_preemptions(limits.max_preemptions);
  shown.set_max_dead(limits.max_dead);
  shown.set_max_ended(limits.max_ended);
  shown.set_ended_memory_percent(static_cast<int32_t>(limits.ended_memory_percent));
  shown.set_pixel_steps_per_tenant(limits.pixel_steps_per_tenant);
  shown.set_prompt_bytes_per_tenant(limits.prompt_bytes_per_tenant);
  shown.set_result_bytes_per_tenant(limits.result_bytes_per_tenant);
  return shown;
}

StatusOr<queue::QueueLimits> Changed(const queue::QueueLimits& now, const v1::QueueLimits& wanted) {
  queue::QueueLimits limits = now;
  Reader reader("queue.");
  if (wanted.has_max_jobs()) {
    reader.Count("max_jobs", wanted.max_jobs(), 0, bounds::kJobs, &limits.max_jobs);
  }
  if (wanted.has_max_per_tenant()) {
    reader.Count("max_per_tenant", wanted.max_per_tenant(), 0, bounds::kJobs,
                 &limits.max_per_tenant);
  }
  if (wanted.has_max_running_per_tenant()) {
    reader.Count("max_running_per_tenant", wanted.max_running_per_tenant(), 0, bounds::kJobs,
                 &limits.max_running_per_tenant);
  }
  if (wanted.has_max_tries()) {
    reader.Count("max_tries", wanted.max_tries(), 1, bounds::kSetbacks, &limits.max_tries);
  }
  if (wanted.has_max_crashes()) {
    reader.Count("max_crashes", wanted.max_crashes(), 1, bounds::kSetbacks, &limits.max_crashes);
  }
  if (wanted.has_stall_seconds()) {
    reader.Time("stall_seconds", wanted.stall_seconds(), 1, &limits.stall);
  }
  if (wanted.has_preempt_after_seconds()) {
    reader.Time("preempt_after_seconds", wanted.preempt_after_seconds(), 0, &limits.preempt_after);
  }
  if (wanted.has_preempt_floor_seconds()) {
    reader.Time("preempt_floor_seconds", wanted.preempt_floor_seconds(), 0, &limits.preempt_floor);
  }
  if (wanted.has_max_preemptions()) {
    reader.Count("max_preemptions", wanted.max_preemptions(), 0, bounds::kPreemptions,
                 &limits.max_preemptions);
  }
  if (wanted.has_max_dead()) {
    reader.Count("max_dead", wanted.max_dead(), 0, bounds::kDead, &limits.max_dead);
  }
  if (wanted.has_max_ended()) {
    reader.Count("max_ended", wanted.max_ended(), 0, bounds::kJobs, &limits.max_ended);
  }
  if (wanted.has_ended_memory_percent()) {
    reader.Count("ended_memory_percent", wanted.ended_memory_percent(), 1, 100,
                 &limits.ended_memory_percent);
  }
  if (wanted.has_pixel_steps_per_tenant()) {
    reader.Count("pixel_steps_per_tenant", wanted.pixel_steps_per_tenant(), 0, queue::kNoQuota,
                 &limits.pixel_steps_per_tenant);
  }
  if (wanted.has_prompt_bytes_per_tenant()) {
    reader.Count("prompt_bytes_per_tenant", wanted.prompt_bytes_per_tenant(), 0, queue::kNoQuota,
                 &limits.prompt_bytes_per_tenant);
  }
  if (wanted.has_result_bytes_per_tenant()) {
    reader.Count("result_bytes_per_tenant", wanted.result_bytes_per_tenant(), 0, queue::kNoQuota,
                 &limits.result_bytes_per_tenant);
  }
  RETURN_IF_ERROR(reader.status());
  return limits;
}

StatusOr<queue::TenantLimits> FromProto(const v1::TenantLimits& wanted) {
  if (wanted.tenant().size() > kMaxTenant) {
    return rpc::InvalidFields({{"tenant.tenant", "must have at most 256 bytes, got " +
                                                     std::to_string(wanted.tenant().size())}});
  }
  queue::TenantLimits limits;
  Reader reader("tenant.");
  if (wanted.has_max_open()) {
    reader.Count("max_open", wanted.max_open(), 0, bounds::kJobs, &limits.max_open.emplace());
  }
  if (wanted.has_max_running()) {
    reader.Count("max_running", wanted.max_running(), 0, bounds::kJobs,
                 &limits.max_running.emplace());
  }
  if (wanted.has_weight()) {
    reader.Count("weight", wanted.weight(), 1, bounds::kWeight, &limits.weight.emplace());
  }
  if (wanted.has_pixel_steps()) {
    reader.Count("pixel_steps", wanted.pixel_steps(), 0, queue::kNoQuota,
                 &limits.pixel_steps.emplace());
  }
  if (wanted.has_prompt_bytes()) {
    reader.Count("prompt_bytes", wanted.prompt_bytes(), 0, queue::kNoQuota,
                 &limits.prompt_bytes.emplace());
  }
  if (wanted.has_result_bytes()) {
    reader.Count("result_bytes", wanted.result_bytes(), 0, queue::kNoQuota,
                 &limits.result_bytes.emplace());
  }
  RETURN_IF_ERROR(reader.status());
  return limits;
}

}  // namespace phasor::gateway
