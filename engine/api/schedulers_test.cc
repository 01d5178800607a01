#include "engine/api/schedulers.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(SchedulerNamesTest, AliasAndClassNameFindTheSameScheduler) {
  EXPECT_EQ(FindScheduler("ddim")->class_name, "DDIMScheduler");
  EXPECT_EQ(FindScheduler("DDIMScheduler")->alias, "ddim");
}

TEST(SchedulerNamesTest, AClassNameAloneDoesNotTurnKarrasOn) {
  EXPECT_FALSE(FindScheduler("DPMSolverMultistepScheduler")->karras);
  EXPECT_TRUE(FindScheduler("dpmpp_2m_karras")->karras);
}

TEST(SchedulerNamesTest, AnUnknownNameIsNothing) {
  EXPECT_FALSE(FindScheduler("").has_value());
  EXPECT_FALSE(FindScheduler("DDIM").has_value());
}

}  // namespace
}  // namespace phasor::engine
