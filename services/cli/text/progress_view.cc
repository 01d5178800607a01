#include "services/cli/text/progress_view.h"

#include <algorithm>
#include <cstdio>

#include "common/rpc/spec_convert.h"

namespace phasor::cli {
namespace {

constexpr int kBarWidth = 20;

std::string Bar(int step, int steps) {
  const int done = steps > 0 ? std::clamp(step * kBarWidth / steps, 0, kBarWidth) : 0;
  std::string bar(kBarWidth + 2, '-');
  bar.front() = '[';
  bar.back() = ']';
  std::fill_n(bar.begin() + 1, done, '#');
  return bar;
}

}  // namespace

std::string StateWord(v1::JobState state) {
  switch (state) {
    case v1::QUEUED:
      return "queued";
    case v1::INITIALIZING:
      return "preparing";
    case v1::ENCODING_PROMPT:
      return "reading the prompt";
    case v1::DIFFUSION_RUNNING:
      return "denoising";
    case v1::DECODING:
      return "decoding";
    case v1::RETRY_PENDING:
      return "trying again";
    case v1::DONE:
      return "done";
    case v1::FAILED:
      return "failed";
    case v1::CANCELED:
      return "cancelled";
    case v1::EXPIRED:
      return "expired";
    default:
      return "unknown";
  }
}

std::string ProgressLine(const v1::Progress& progress) {
  std::string line = StateWord(progress.state());
  if (progress.state() == v1::QUEUED) {
    if (progress.queue_position() > 0) {
      line += ", " + std::to_string(progress.queue_position()) + " before it";
    }
    return line;
  }
  if (progress.steps() > 0) {
    line += " " + Bar(progress.step(), progress.steps()) + " " + std::to_string(progress.step()) +
            "/" + std::to_string(progress.steps());
  }
  if (progress.seconds_left() > 0) {
    char left[32];
    std::snprintf(left, sizeof(left), ", %.1f s left", progress.seconds_left());
    line += left;
  }
  return line;
}

void ProgressView::Show(const v1::WatchEvent& event) {
  if (style_ == Style::kNone) return;
  if (event.has_progress()) {
    Line(event.progress().state(), ProgressLine(event.progress()));
  } else if (event.has_job() && !rpc::IsTerminal(event.job().state())) {
    v1::Progress progress;
    progress.set_state(event.job().state());
    progress.set_queue_position(event.job().queue_position());
    Line(event.job().state(), ProgressLine(progress));
  }
}

void ProgressView::Line(v1::JobState state, const std::string& text) {
  const std::string line = label_ + text;
  if (style_ == Style::kLines) {
    if (state != state_) out_ << line << std::endl;
  } else {
    const size_t pad = drawn_ > line.size() ? drawn_ - line.size() : 0;
    out_ << '\r' << line << std::string(pad, ' ') << std::flush;
    drawn_ = line.size();
  }
  state_ = state;
}

void ProgressView::Clear() {
  if (drawn_ > 0) out_ << '\r' << std::string(drawn_, ' ') << '\r' << std::flush;
  drawn_ = 0;
  state_ = v1::JOB_STATE_UNSPECIFIED;
}

}  // namespace phasor::cli
