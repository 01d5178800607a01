#include "services/worker/take/stretch.h"

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using job::Priority;

class StretchTest : public ::testing::Test {
 protected:
  void Took(const std::string& model, bool left = false, Priority priority = Priority::kNormal) {
    stretch_.Took(model, priority, left, clock_.Steady());
  }
  std::optional<std::string> Only() const { return stretch_.Only(clock_.Steady()); }

  FakeClock clock_;
  Stretch stretch_{{.jobs = 3, .wait = Millis(5'000)}};
};

TEST_F(StretchTest, NoModelGoesFirstThatCostNoOtherItsPlace) {
  EXPECT_EQ(Only(), std::nullopt);
  Took("a");
  EXPECT_EQ(Only(), std::nullopt);
  Took("b");
  EXPECT_EQ(Only(), std::nullopt);
}

TEST_F(StretchTest, AModelForWhichAnotherOneLeftGoesFirstForAsManyJobsAsAGroupHas) {
  Took("a");
  Took("b", true);
  EXPECT_EQ(Only(), "b");
  Took("b");
  EXPECT_EQ(Only(), "b");
  Took("b", true);
  EXPECT_EQ(Only(), std::nullopt);
  Took("b");
  EXPECT_EQ(Only(), std::nullopt) << "it goes on, but not before others";
  Took("a", true);
  EXPECT_EQ(Only(), "a");
}

TEST_F(StretchTest, ItEndsWhenOthersHaveWaitedForItLongEnough) {
  Took("b", true);
  clock_.Advance(Millis(4'999));
  EXPECT_EQ(Only(), "b");
  Took("b");
  clock_.Advance(Millis(1));
  EXPECT_EQ(Only(), std::nullopt);
  Took("a", true, Priority::kUrgent);
  clock_.Advance(Millis(2'499));
  EXPECT_EQ(Only(), "a");
  clock_.Advance(Millis(1));
  EXPECT_EQ(Only(), std::nullopt);
}

TEST_F(StretchTest, ItEndsWhenThereAreNoMoreJobsOfIt) {
  Took("b", true);
  stretch_.Over();
  EXPECT_EQ(Only(), std::nullopt);
}

TEST_F(StretchTest, OneJobForEachGroupIsNone) {
  Stretch off({.jobs = 1});
  off.Took("b", Priority::kNormal, true, clock_.Steady());
  EXPECT_EQ(off.Only(clock_.Steady()), std::nullopt);
}

}  // namespace
}  // namespace phasor::worker
