#include "services/worker/run/publisher.h"

#include <utility>

#include "common/log/log.h"

namespace phasor::worker {
namespace {

constexpr Millis kPatienceWhenTooLarge{5'000};

}  // namespace

Publisher::Publisher(queue::Consumer& queue, storage::ResultStore& store, LeaseRenewer& renewer,
                     const Patience& patience, Millis lease)
    : queue_(queue), store_(store), renewer_(renewer), patience_(patience), lease_(lease) {}

// To make room for another job would cost this one its picture and help nobody: that one could not
// publish either. A worker that ends has no choice.
bool Publisher::Waits(RunningJob& job) {
  const StopReason stop = renewer_.Stop(job, patience_);
  return stop == StopReason::kNone || stop == StopReason::kPreempted;
}

Status Publisher::PutOnce(const std::string& key, const std::string& bytes, SteadyTime began) {
  const Status put = store_.Put(key, bytes);
  if (put.code() != StatusCode::kResourceExhausted) return put;
  // A store that has room for a byte but, for a while, not for the picture: it is too large for it,
  // and waiting would not help.
  const bool patient = patience_.clock.Steady() - began < kPatienceWhenTooLarge;
  if (!patient && store_.Put(key, "x").ok()) return put;
  return Unavailable(Message(put));
}

Status Publisher::PutBlobs(RunningJob& job, StoreCalls& calls, const std::vector<Picture>& pictures,
                           storage::TerminalRecord* record) {
  for (const Picture& picture : pictures) {
    storage::ResultImage entry = picture.entry;
    entry.blob = storage::BlobKey(record->id, record->epoch, record->nonce,
                                  static_cast<int>(record->images.size()));
    record->images.push_back(entry);
    if (!IsOwned(renewer_.Stop(job, patience_))) return Aborted("no longer the owner");
    const SteadyTime began = patience_.clock.Steady();
    const Status put = calls.Ask([&] { return PutOnce(entry.blob, picture.png, began); },
                                 [&] { return Waits(job); });
    if (put.code() == StatusCode::kUnavailable) return Aborted(Message(put));
    if (!put.ok()) return put;
  }
  return OkStatus();
}

void Publisher::DeleteBlobs(const storage::TerminalRecord& record) {
  for (const storage::ResultImage& image : record.images) (void)store_.Delete(image.blob);
}

StatusOr<storage::TerminalRecord> Publisher::Publish(RunningJob& job, StoreCalls& calls,
                                                     const std::vector<Picture>& pictures,
                                                     storage::TerminalRecord record) {
  if (const Status put = PutBlobs(job, calls, pictures, &record); !put.ok()) {
    DeleteBlobs(record);
    return put;
  }
  // After an attempt whose outcome is unknown the record may name these blobs, so they stay; the
  // sweeper lets them go if it does not.
  bool may_be_named = false;
  StatusOr<storage::TerminalRecord> standing = Aborted("no longer the owner");
  if (IsOwned(renewer_.Stop(job, patience_))) {
    standing = calls.Ask(
        [&] {
          auto created = store_.CreateTerminal(record);
          may_be_named |= storage::MayHaveHappened(created.status());
          // As with pictures: there will be room again.
          const bool full = created.status().code() == StatusCode::kResourceExhausted;
          return full ? StatusOr<storage::TerminalRecord>(Unavailable(Message(created.status())))
                      : created;
        },
        [&] { return Waits(job); });
  }
  if (!standing.ok()) {
    if (!may_be_named) DeleteBlobs(record);
    const bool waited = standing.status().code() == StatusCode::kUnavailable;
    return waited ? Aborted(Message(standing.status())) : standing.status();
  }
  if (standing->epoch != record.epoch || standing->nonce != record.nonce) {
    log::Info("another writer was first", {{"job_id", record.id}, {"by", standing->worker}});
    DeleteBlobs(record);
  }
  return standing;
}

std::optional<queue::Completion> Publisher::Settle(const queue::Fence& fence,
                                                   const storage::TerminalRecord& record) {
  if (record.state == job::State::kDone) {
    return queue::Completion{fence, storage::TerminalKey(record.id)};
  }
  const SteadyTime end = patience_.clock.Steady() + lease_;
  const queue::Failure failure{.fence = fence, .reason = record.reason, .code = record.code};
  const Status told = StatusOf(patience_.Until(end, [&] { return queue_.Fail(failure); }));
  if (!told.ok()) {
    log::Warn("the queue was not told the end; the next owner will",
              {{"job_id", record.id}, {"status", told}});
  }
  return std::nullopt;
}

}  // namespace phasor::worker
