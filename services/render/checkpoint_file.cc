#include "services/render/checkpoint_file.h"

#include <filesystem>
#include <system_error>

#include "common/base/file.h"

namespace phasor::render {
namespace {

constexpr double kShareOfTime = 0.01;
// Short runs need none; a run is redone in that time.
constexpr double kLeastInterval = 5;  // seconds
constexpr size_t kNameLength = 16;

}  // namespace

CheckpointFile::CheckpointFile(const std::string& directory, const engine::Run& run,
                               const Clock& clock)
    : path_(directory + "/" + run.Report().fingerprint.substr(0, kNameLength) + ".checkpoint"),
      clock_(clock),
      last_(clock.Steady()) {}

Status CheckpointFile::AfterStep(const engine::Run& run) {
  const double since = SecondsBetween(last_, clock_.Steady());
  if (failed_ || since < kLeastInterval || since * kShareOfTime < cost_) return OkStatus();
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
  last_ = clock_.Steady();
  cost_ = SecondsBetween(begin, last_);
  return OkStatus();
}

void CheckpointFile::Remove() {
  if (!written_) return;
  std::error_code ignored;  // a file left behind harms nobody
  std::filesystem::remove(path_, ignored);
  written_ = false;
}

}  // namespace phasor::render
