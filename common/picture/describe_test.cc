#include "common/picture/describe.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace phasor::picture {
namespace {

const Description& Find(const std::vector<Description>& all, const std::string& name) {
  for (const Description& one : all) {
    if (one.name == name) return one;
  }
  ADD_FAILURE() << name;
  return all.front();
}

TEST(DescribeTest, TellsTheCardsDefaultsAndLimits) {
  PictureSpec defaults;
  defaults.width = 128;
  Limits limits;
  limits.max_size = 256;
  const auto all = Describe(defaults, limits);
  const Description& width = Find(all, "width");
  EXPECT_EQ(width.flag, "--width");
  EXPECT_EQ(width.type, "whole");
  EXPECT_EQ(width.fallback, "128");
  EXPECT_EQ(width.low, 64);
  EXPECT_EQ(width.high, 256);
  EXPECT_EQ(width.multiple, 8);
  EXPECT_EQ(Find(all, "seed").fallback, "") << "it is drawn";
  EXPECT_EQ(Find(all, "prompt").high, 8192);
  EXPECT_EQ(Find(all, "controls").type, "list");
  EXPECT_TRUE(Find(all, "controls").planned);
}

// PHASOR_WRITE_PAGES=1 writes it anew.
TEST(DescribeTest, ThePageOfAllParametersIsMadeFromTheTable) {
  const std::string path = std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/docs/parameters.md";
  if (std::getenv("PHASOR_WRITE_PAGES") != nullptr) std::ofstream(path) << ParametersPage();
  std::ostringstream page;
  page << std::ifstream(path).rdbuf();
  EXPECT_EQ(page.str(), ParametersPage()) << "run this test with PHASOR_WRITE_PAGES=1";
}

}  // namespace
}  // namespace phasor::picture
