#include "services/gateway/flow/model_placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::WorkerStats Worker(const char* name, const char* state, bool holds) {
  v1::WorkerStats stats;
  stats.set_name(name);
  stats.set_state(state);
  if (holds) stats.add_models_resident(std::string("m"));
  return stats;
}

TEST(ModelPlacementTest, IdleWorkersThatDoNotHaveItComeFirst) {
  const std::vector<v1::WorkerStats> workers = {
      Worker("a", "busy", false), Worker("b", "idle", true), Worker("c", "draining", false),
      Worker("d", "idle", false), Worker("e", "cordoned", false)};
  EXPECT_THAT(PlacesFor(workers, "m", 9), ElementsAre("d", "a"));
  EXPECT_THAT(PlacesFor(workers, "m", 1), ElementsAre("d"));
  EXPECT_THAT(PlacesFor(workers, "m", 0), IsEmpty());
  EXPECT_THAT(HoldersOf(workers, "m"), ElementsAre("b"));
  EXPECT_THAT(HoldersOf(workers, "other"), IsEmpty());
}

}  // namespace
}  // namespace phasor::gateway
