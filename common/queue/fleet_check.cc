#include "common/queue/fleet_check.h"

#include <utility>

#include "common/base/hash.h"

namespace phasor::queue {
namespace {

constexpr Millis kEvery{15'000};  // while all is well
constexpr char kStore[] = "store";
constexpr char kSecret[] = "secret";
constexpr char kWhole[] = "whole";   // the instance in which it is (scripts/lib/forgotten.lua)
constexpr size_t kFingerprint = 16;  // hexadecimal digits

bool IsAway(const Status& status) { return status.code() == StatusCode::kUnavailable; }

}  // namespace

std::string SecretFingerprint(const std::string& secret) {
  return Hex(HmacSha256(secret, "phasor: fingerprint of a fleet's secret")).substr(0, kFingerprint);
}

FleetCheck::FleetCheck(Parts parts) : parts_(std::move(parts)) {}

Status FleetCheck::Look() {
  const SteadyTime now = parts_.clock->Steady();
  const int64_t connections = parts_.foundation->connections();
  Verdict last;
  {
    MutexLock lock(&mu_);
    last = verdict_;
  }
  if (last.ready.ok() && connections == connections_ && now - asked_ < kEvery) return last.ready;
  Verdict next = Ask(std::move(last));
  asked_ = now;
  connections_ = connections;
  MutexLock lock(&mu_);
  was_ready_ = was_ready_ || next.ready.ok();
  // What was wrong from the start is not served for the moment that the process still has.
  if (!was_ready_) next.serve = next.ready;
  verdict_ = std::move(next);
  return verdict_.ready;
}

FleetCheck::Verdict FleetCheck::Ask(Verdict last) {
  Verdict next = std::move(last);
  next.ready = AskFooting(&next);
  if (IsAway(next.ready)) return next;
  const Status facts = AskFacts(next.instance);
  // A store that is away is no reason to stop once it was known to be the fleet's.
  if (IsAway(facts) && next.serve.ok()) return next;
  next.serve = facts;
  next.ready.Update(facts);
  return next;
}

Status FleetCheck::AskFooting(Verdict* verdict) {
  ASSIGN_OR_RETURN(const Footing footing, parts_.foundation->Check());
  verdict->job_loss = footing.job_loss;
  verdict->instance = footing.instance;
  if (footing.job_loss.empty() || parts_.allow_job_loss) return OkStatus();
  return FailedPrecondition(footing.job_loss +
                            "; mend that, or say --allow-job-loss if jobs may be lost");
}

Status FleetCheck::AskFacts(const std::string& instance) {
  RETURN_IF_ERROR(AskStore(instance));
  return AskSecret();
}

Status FleetCheck::AskStore(const std::string& instance) {
  ASSIGN_OR_RETURN(const std::string remembered, parts_.foundation->Agree(kStore, ""));
  ASSIGN_OR_RETURN(const std::string id, parts_.identify_store(remembered));
  if (!remembered.empty()) return OkStatus();
  // A fleet begins. If its store is new as well, the queue knows all that ever was, for as long as
  // it stands where it does now: it need not ask the store about a key that it has never seen.
  if (!instance.empty() && parts_.store_is_new != nullptr) {
    ASSIGN_OR_RETURN(const bool is_new, parts_.store_is_new());
    if (is_new) RETURN_IF_ERROR(parts_.foundation->Agree(kWhole, instance).status());
  }
  ASSIGN_OR_RETURN(const std::string stands, parts_.foundation->Agree(kStore, id));
  return stands == id ? OkStatus() : parts_.identify_store(stands).status();
}

Status FleetCheck::AskSecret() {
  if (parts_.secret.empty()) return OkStatus();
  const std::string own = SecretFingerprint(parts_.secret);
  ASSIGN_OR_RETURN(const std::string stands, parts_.foundation->Agree(kSecret, own));
  if (stands == own) return OkStatus();
  return FailedPrecondition(
      "the secret is not the fleet's, so a submit that is repeated would become two jobs: its "
      "fingerprint is " +
      own + ", the fleet's is " + stands +
      ". Give all gateways the same --secret-file; docs/redis.md says how to change the secret");
}

Status FleetCheck::ready() const {
  MutexLock lock(&mu_);
  return verdict_.ready;
}

Status FleetCheck::serve() const {
  MutexLock lock(&mu_);
  return verdict_.serve;
}

Status FleetCheck::refused() const {
  MutexLock lock(&mu_);
  return was_ready_ || IsAway(verdict_.ready) ? OkStatus() : verdict_.ready;
}

std::string FleetCheck::job_loss() const {
  MutexLock lock(&mu_);
  return verdict_.job_loss;
}

}  // namespace phasor::queue
