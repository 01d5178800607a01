// How far a job is, on standard error: one line that is redrawn on a terminal, a plain line per
// change of state elsewhere, nothing when quiet. The text is pure; one thread.
#pragma once

#include <ostream>
#include <string>

#include "phasor/v1/images.pb.h"

namespace phasor::cli {

// "denoising [########------------] 8/20, 0.6 s left".
std::string ProgressLine(const v1::Progress& progress);

// "queued", "denoising" ...: what the state is to a reader.
std::string StateWord(v1::JobState state);

class ProgressView {
 public:
  enum class Style { kNone, kLines, kBar };

  ProgressView(std::ostream& out, Style style) : out_(out), style_(style) {}
  ~ProgressView() { Clear(); }

  // What stands before each line, e.g. "2/8 ".
  void Label(const std::string& label) { label_ = label; }
  void Show(const v1::WatchEvent& event);
  // Removes the line that is redrawn.
  void Clear();

 private:
  void Line(v1::JobState state, const std::string& text);

  std::ostream& out_;
  const Style style_;
  std::string label_;
  size_t drawn_ = 0;  // characters of the line that stands
  v1::JobState state_ = v1::JOB_STATE_UNSPECIFIED;
};

}  // namespace phasor::cli
