#include "services/render/checkpoint_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/file.h"

namespace phasor::render {
namespace {

// Short runs need no checkpoint: they are redone in that time.
constexpr double kShortestInterval = 5;  // seconds
constexpr size_t kNameLength = 16;

}  // namespace

CheckpointFile::CheckpointFile(const std::string& directory, const engine::Run& run,
                               const Clock& clock)
    : path_(directory + "/" + run.Report().fingerprint.substr(0, kNameLength) + ".checkpoint"),
      clock_(clock),
      pace_({.first_cost = 0, .shortest = kShortestInterval}),
      last_look_(clock.Steady()) {}

Status CheckpointFile::AfterStep(const engine::Run& run) {
  const SteadyTime now = clock_.Steady();
  const bool due = pace_.Worked(SecondsBetween(std::exchange(last_look_, now), now));
  if (failed_ || !due) return OkStatus();
  const Status written = Write(run);
  failed_ = !written.ok();
  return written;
}

Status CheckpointFile::Write(const engine::Run& run) {
  const SteadyTime begin = clock_.Steady();
  const StatusOr<std::string> bytes = run.Snapshot();
  if (!bytes.ok()) return written_ ? OkStatus() : bytes.status();
  RETURN_IF_ERROR(WriteFileDurably(path_, *bytes));
  written_ = true;
  last_look_ = clock_.Steady();
  pace_.Took(SecondsBetween(begin, last_look_));
  return OkStatus();
}

void CheckpointFile::Remove() {
  if (!written_) return;
  std::error_code ignored;  // a file left behind harms nobody
  std::filesystem::remove(path_, ignored);
  written_ = false;
}

}  // namespace phasor::render
