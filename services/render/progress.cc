#include "services/render/progress.h"

#include <cstdio>

#include <nlohmann/json.hpp>

namespace phasor::render {
namespace {

constexpr int kBarWidth = 24;  // characters
constexpr char kEraseLine[] = "\r\x1b[K";

class Silent final : public Progress {
 public:
  void Show(const engine::Unit&) override {}
};

class Bar final : public Progress {
 public:
  explicit Bar(std::ostream& err) : err_(err) {}
  void Show(const engine::Unit& next) override {
    err_ << kEraseLine;
    if (next.kind != engine::UnitKind::kDone) err_ << ProgressBar(next);
    err_ << std::flush;
  }

 private:
  std::ostream& err_;
};

class JsonLines final : public Progress {
 public:
  explicit JsonLines(std::ostream& out) : out_(out) {}
  void Show(const engine::Unit& next) override { out_ << ProgressJson(next) << std::endl; }

 private:
  std::ostream& out_;
};

}  // namespace

double SecondsLeft(const engine::Unit& next) {
  return next.predicted_seconds * (next.count - next.index);
}

std::string ProgressBar(const engine::Unit& next) {
  const int filled = next.count > 0 ? kBarWidth * next.index / next.count : 0;
  std::string line = std::string(ToString(next.kind)) + " [" + std::string(filled, '#') +
                     std::string(kBarWidth - filled, '.') + "] " + std::to_string(next.index) +
                     "/" + std::to_string(next.count);
  if (const double left = SecondsLeft(next); left > 0) {
    char text[32];
    std::snprintf(text, sizeof(text), "  %.1f s left", left);
    line += text;
  }
  return line;
}

std::string ProgressJson(const engine::Unit& next) {
  return nlohmann::ordered_json{{"phase", ToString(next.kind)},
                                {"done", next.index},
                                {"total", next.count},
                                {"seconds_left", SecondsLeft(next)}}
      .dump();
}

std::unique_ptr<Progress> MakeProgress(ProgressMode mode, bool err_is_terminal, std::ostream& out,
                                       std::ostream& err) {
  if (mode == ProgressMode::kJson) return std::make_unique<JsonLines>(out);
  if (mode == ProgressMode::kAuto && err_is_terminal) return std::make_unique<Bar>(err);
  return std::make_unique<Silent>();
}

}  // namespace phasor::render
