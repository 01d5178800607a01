#include "services/render/memory_plot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace phasor::render {
namespace {

using engine::UnitKind;

engine::UnitRecord Unit(UnitKind kind, double seconds, uint64_t weights, uint64_t predicted) {
  engine::UnitRecord unit{kind, 0, seconds, {}, predicted};
  unit.peak.of(engine::MemoryKind::kWeights) = weights;
  return unit;
}

engine::RunReport RunOn(uint64_t device_bytes) {
  engine::RunReport run;
  run.device = "sim";
  run.strategy = "CPU_OFFLOAD";
  run.device_bytes = device_bytes;
  run.units = {Unit(UnitKind::kEncode, 1, 100, 110), Unit(UnitKind::kStep, 4, 800, 810),
               Unit(UnitKind::kStep, 4, 900, 810), Unit(UnitKind::kDecode, 1, 300, 310)};
  return run;
}

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(MemoryPlotTest, HasABarForEachUnitAndANameForEachPhaseThatIsWideEnough) {
  const std::string svg = MemoryPlot(RunOn(0));
  EXPECT_EQ(svg.find("<svg xmlns=\"http://www.w3.org/2000/svg\""), 0u);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_EQ(CountOf(svg, "fill=\"#4c72b0\""), 4 + 1) << "units, and the legend";
  EXPECT_EQ(CountOf(svg, ">denoise<"), 1);
  EXPECT_EQ(CountOf(svg, ">encode<"), 1);
  EXPECT_EQ(CountOf(svg, "stroke=\"#c44e52\""), 0) << "there is no bound";
}

TEST(MemoryPlotTest, ShowsTheDeviceWhereItIsNotFarAbove) {
  EXPECT_EQ(CountOf(MemoryPlot(RunOn(1000)), "stroke=\"#c44e52\""), 1);
  EXPECT_EQ(CountOf(MemoryPlot(RunOn(1'000'000)), "stroke=\"#c44e52\""), 0);
}

TEST(MemoryPlotTest, ARunWithoutUnitsIsAnEmptyPlot) {
  const std::string svg = MemoryPlot({});
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace phasor::render
