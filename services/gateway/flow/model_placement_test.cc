#include "services/gateway/flow/model_placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

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

TEST(ModelPlacementTest, HoldersAreToldApartByTheDigestOfWhatTheyHold) {
  std::vector<v1::WorkerStats> workers;
  for (const auto& [name, digest] : std::vector<std::pair<const char*, const char*>>{
           {"a", "11"}, {"b", "22"}, {"c", "11"}, {"d", ""}}) {
    workers.push_back(Worker(name, "idle", true));
    v1::ModelMemory* held = workers.back().add_models();
    held->set_model("m");
    held->set_digest(digest);
  }
  EXPECT_THAT(HoldersByDigest(workers, "m"),
              ElementsAre(Pair("11", ElementsAre("a", "c")), Pair("22", ElementsAre("b"))));
  EXPECT_THAT(HoldersByDigest(workers, "other"), IsEmpty());
}

}  // namespace
}  // namespace phasor::gateway
