#include "services/worker/publisher.h"

#include <utility>

#include "common/log/log.h"

namespace phasor::worker {
namespace {

constexpr Millis kPause{200};               // between two calls of a store that does not answer
constexpr Millis kPatienceWhenFull{5'000};  // with a store that has no room

}  // namespace

Publisher::Publisher(queue::Consumer& queue, storage::ResultStore& store, const Patience& patience,
                     Millis lease)
    : queue_(queue), store_(store), patience_(patience), lease_(lease) {}

Status Publisher::PutBlobs(RunningJob& job, const std::vector<Picture>& pictures,
                           storage::TerminalRecord* record) {
  const SteadyTime begin = patience_.clock.Steady();
  for (const Picture& picture : pictures) {
    storage::ResultImage entry = picture.entry;
    entry.blob = storage::BlobKey(record->id, record->epoch, record->nonce,
                                  static_cast<int>(record->images.size()));
    record->images.push_back(entry);
    while (true) {
      if (!IsOwned(job.Stop(patience_.clock.Steady()))) return Aborted("no longer the owner");
      const Status put = store_.Put(entry.blob, picture.png);
      if (put.ok()) break;
      // A full store may be swept meanwhile, but the next try of the job may as well wait for that.
      const bool full = put.code() == StatusCode::kResourceExhausted;
      const bool waits = full && patience_.clock.Steady() - begin < kPatienceWhenFull;
      if (put.code() != StatusCode::kUnavailable && !waits) return put;
      patience_.sleep(kPause);
    }
  }
  return OkStatus();
}

void Publisher::DeleteBlobs(const storage::TerminalRecord& record) {
  for (const storage::ResultImage& image : record.images) (void)store_.Delete(image.blob);
}

StatusOr<storage::TerminalRecord> Publisher::Publish(RunningJob& job,
                                                     const std::vector<Picture>& pictures,
                                                     storage::TerminalRecord record) {
  if (const Status put = PutBlobs(job, pictures, &record); !put.ok()) {
    DeleteBlobs(record);
    return put;
  }
  // After an attempt whose outcome is unknown the record may name these blobs, so they stay; the
  // sweeper lets them go if it does not.
  bool may_be_named = false;
  StatusOr<storage::TerminalRecord> standing = Aborted("no longer the owner");
  while (IsOwned(job.Stop(patience_.clock.Steady()))) {
    standing = store_.CreateTerminal(record);
    may_be_named |= storage::MayHaveHappened(standing.status());
    if (standing.status().code() != StatusCode::kUnavailable) break;
    standing = Aborted("the store was not reached in time");
    patience_.sleep(kPause);
  }
  if (!standing.ok()) {
    if (!may_be_named) DeleteBlobs(record);
    return standing.status();
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
