#include "services/render/memory_plot.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/base/byte_size.h"

namespace phasor::render {
namespace {

using engine::MemoryKind;
using engine::UnitKind;
using engine::UnitRecord;

// Pixels: the page, and what of it the bars have.
constexpr double kWidth = 860, kHeight = 380;
constexpr double kLeft = 80, kRight = 840, kTop = 50, kBottom = 320;
constexpr double kHeadroom = 1.08;  // above the highest bar

struct Layer {
  MemoryKind kind;
  const char* name;
  const char* colour;
};
constexpr Layer kLayers[] = {{MemoryKind::kWeights, "weights", "#4c72b0"},
                             {MemoryKind::kActivations, "activations", "#dd8452"},
                             {MemoryKind::kWorkspace, "workspace", "#8172b3"}};
constexpr char kPredicted[] = "#222222", kCapacity[] = "#c44e52";

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

class Plot {
 public:
  explicit Plot(const engine::RunReport& run) : run_(run) {
    for (const UnitRecord& unit : run.units) {
      seconds_ += unit.seconds;
      most_ = std::max({most_, unit.peak.total(), unit.predicted_peak_bytes});
    }
    // A card that is many times larger than the run would flatten it.
    if (run.device_bytes <= 2 * most_) most_ = std::max(most_, run.device_bytes);
  }

  std::string Draw() {
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + Number(kWidth) + " " +
           Number(kHeight) + "\" font-family=\"sans-serif\" font-size=\"12\">\n";
    Box(0, 0, kWidth, kHeight, "#ffffff");
    Title();
    Axis();
    Units();
    Capacity();
    Legend();
    return svg_ + "</svg>\n";
  }

 private:
  double X(double seconds) const {
    return kLeft + (kRight - kLeft) * (seconds_ > 0 ? seconds / seconds_ : 0);
  }
  double Y(uint64_t bytes) const {
    const double highest = kHeadroom * static_cast<double>(std::max<uint64_t>(most_, 1));
    return kBottom - (kBottom - kTop) * static_cast<double>(bytes) / highest;
  }

  void Box(double x, double y, double width, double height, const std::string& fill) {
    svg_.append("<rect x=\"").append(Number(x)).append("\" y=\"").append(Number(y));
    svg_.append("\" width=\"").append(Number(width)).append("\" height=\"").append(Number(height));
    svg_.append("\" fill=\"").append(fill).append("\"/>\n");
  }
  void Line(double x1, double y1, double x2, double y2, const std::string& style) {
    svg_.append("<path d=\"M").append(Number(x1)).append(" ").append(Number(y1));
    svg_.append("L").append(Number(x2)).append(" ").append(Number(y2));
    svg_.append("\" ").append(style).append("/>\n");
  }
  void Text(double x, double y, const std::string& anchor, const std::string& text) {
    svg_.append("<text x=\"").append(Number(x)).append("\" y=\"").append(Number(y));
    svg_.append("\" text-anchor=\"").append(anchor).append("\">").append(text).append("</text>\n");
  }
  static std::string Stroke(const std::string& colour, const std::string& dashes) {
    return "stroke=\"" + colour + "\" stroke-width=\"1.5\" stroke-dasharray=\"" + dashes +
           "\" fill=\"none\"";
  }

  void Title() {
    std::string title = run_.device + ", " + run_.strategy;
    if (run_.device_bytes > 0) title.append(", ").append(ByteSizeText(run_.device_bytes));
    Text(kLeft, 28, "start", title);
  }

  void Axis() {
    constexpr uint64_t kTicks = 4;
    for (uint64_t tick = 0; tick <= kTicks; ++tick) {
      const uint64_t bytes = most_ * tick / kTicks;
      Line(kLeft, Y(bytes), kRight, Y(bytes), "stroke=\"#dddddd\" fill=\"none\"");
      Text(kLeft - 8, Y(bytes) + 4, "end", ByteSizeText(bytes));
    }
    Text(kRight, kBottom + 34, "end", Number(seconds_) + " s");
  }

  void Units() {
    double begin = 0;
    double phase_begin = 0;
    for (size_t i = 0; i < run_.units.size(); ++i) {
      const UnitRecord& unit = run_.units[i];
      Bar(unit, begin);
      begin += unit.seconds;
      const bool last = i + 1 == run_.units.size() || run_.units[i + 1].kind != unit.kind;
      if (!last) continue;
      Phase(unit.kind, phase_begin, begin);
      phase_begin = begin;
    }
  }

  void Bar(const UnitRecord& unit, double begin) {
    const double left = X(begin);
    const double width = std::max(X(begin + unit.seconds) - left - 0.5, 0.5);
    uint64_t below = 0;
    for (const Layer& layer : kLayers) {
      const uint64_t bytes = unit.peak.of(layer.kind);
      Box(left, Y(below + bytes), width, Y(below) - Y(below + bytes), layer.colour);
      below += bytes;
    }
    if (unit.predicted_peak_bytes == 0) return;
    const double predicted = Y(unit.predicted_peak_bytes);
    Line(left, predicted, left + width, predicted, Stroke(kPredicted, "none"));
  }

  void Phase(UnitKind kind, double begin, double end) {
    Line(X(begin), kBottom, X(begin), kBottom + 20, "stroke=\"#888888\" fill=\"none\"");
    // A phase too short for its name has none.
    if (X(end) - X(begin) < 48) return;
    Text((X(begin) + X(end)) / 2, kBottom + 16, "middle", std::string(ToString(kind)));
  }

  void Capacity() {
    if (run_.device_bytes == 0 || run_.device_bytes > most_) return;
    const double y = Y(run_.device_bytes);
    Line(kLeft, y, kRight, y, Stroke(kCapacity, "6 4"));
  }

  void Legend() {
    double x = kLeft;
    const auto entry = [&](const std::string& colour, const std::string& name) {
      Box(x, kHeight - 24, 10, 10, colour);
      Text(x + 15, kHeight - 15, "start", name);
      x += 130;
    };
    for (const Layer& layer : kLayers) entry(layer.colour, layer.name);
    entry(kPredicted, "predicted peak");
    entry(kCapacity, "device");
  }

  const engine::RunReport& run_;
  double seconds_ = 0;
  uint64_t most_ = 0;
  std::string svg_;
};

}  // namespace

std::string MemoryPlot(const engine::RunReport& run) { return Plot(run).Draw(); }

}  // namespace phasor::render
