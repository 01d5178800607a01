#include "services/worker/take/intake.h"

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

class IntakeTest : public ::testing::Test {
 protected:
  void Fail(const std::string& job, const std::string& model = "m", bool failed_before = false) {
    intake_.JobEnded({.job = job,
                      .model = model,
                      .failed_before = failed_before,
                      .failed = job::ErrorClass::kInternal});
  }
  void FailThree(const std::string& model = "m") {
    for (const char* job : {"a", "b", "c"}) Fail(job, model);
  }
  void ComeOut(const std::string& job, const std::string& model = "m") {
    intake_.JobEnded({.job = job, .model = model, .came_out = true});
  }
  void GiveBack(const std::string& job) { intake_.JobEnded({.job = job, .model = "m"}); }

  FakeClock clock_;
  double memory_ = 50;
  int asked_ = 0;
  Intake intake_{
      {.models = {"m", "n"}, .cordon = {.cool_down = Millis(30'000)}, .max_memory_percent = 90},
      clock_,
      [this] {
        ++asked_;
        return memory_;
      }};
};

TEST_F(IntakeTest, IsOpenUnlessThereIsAReason) { EXPECT_EQ(intake_.Look(), std::nullopt); }

TEST_F(IntakeTest, IsClosedAboveTheWatermarkOfMemory) {
  memory_ = 90;
  EXPECT_EQ(intake_.Look(), std::nullopt);
  memory_ = 90.1;
  EXPECT_EQ(intake_.Look(), Closed::kMemory);
  memory_ = 50;
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, MemoryIsNotMeasuredWhereNobodyCares) {
  Intake careless({.max_memory_percent = 100}, clock_, [this] {
    ++asked_;
    return 100.0;
  });
  EXPECT_EQ(careless.Look(), std::nullopt);
  EXPECT_EQ(asked_, 0);
}

TEST_F(IntakeTest, AModelWhoseJobsFailIsOfferedNoMoreUntilTheTestComesOut) {
  EXPECT_EQ(intake_.DueTest(), std::nullopt);
  FailThree();
  EXPECT_FALSE(intake_.Offers("m"));
  EXPECT_TRUE(intake_.Offers("n"));
  EXPECT_EQ(intake_.Look(), std::nullopt) << "jobs of the other model";
  EXPECT_EQ(intake_.DueTest(), "m");
  intake_.Tested("m", TestResult::kModelFails);
  EXPECT_EQ(intake_.DueTest(), std::nullopt);
  EXPECT_FALSE(intake_.Offers("m"));
  clock_.Advance(Millis(30'000));
  EXPECT_EQ(intake_.DueTest(), "m");
  intake_.Tested("m", TestResult::kSound);
  EXPECT_TRUE(intake_.Offers("m"));
  EXPECT_EQ(intake_.DueTest(), std::nullopt);
}

TEST_F(IntakeTest, IsClosedWhileAllModelsAreDoubted) {
  FailThree("m");
  FailThree("n");
  EXPECT_EQ(intake_.Look(), Closed::kCordoned);
  intake_.Tested("m", TestResult::kSound);
  EXPECT_EQ(intake_.Look(), std::nullopt);
  EXPECT_FALSE(intake_.Offers("n"));
}

TEST_F(IntakeTest, IsClosedWhileTheStoreIsNotReachedWhateverTheModel) {
  FailThree();
  intake_.Tested("m", TestResult::kStoreFails);
  EXPECT_EQ(intake_.Look(), Closed::kCordoned);
  EXPECT_EQ(intake_.DueTest(), std::nullopt);
  clock_.Advance(Millis(30'000));
  EXPECT_EQ(intake_.Look(), Closed::kCordoned);
  EXPECT_EQ(intake_.DueTest(), "m");
  intake_.Tested("m", TestResult::kModelFails);
  EXPECT_EQ(intake_.Look(), std::nullopt) << "the store is there again";
  EXPECT_FALSE(intake_.Offers("m"));
}

TEST_F(IntakeTest, JobsThatFailedBeforeSayNothing) {
  for (const char* job : {"a", "b", "c", "d", "e"}) Fail(job, "m", /*failed_before=*/true);
  EXPECT_TRUE(intake_.Offers("m"));
  Fail("f");
  Fail("g");
  Fail("h", "m", /*failed_before=*/true);
  EXPECT_TRUE(intake_.Offers("m"));
  Fail("i");
  EXPECT_FALSE(intake_.Offers("m"));
}

TEST_F(IntakeTest, AJobThatWasGivenBackSpeaksNeitherForNorAgainstTheWorker) {
  Fail("a");
  Fail("b");
  GiveBack("c");
  Fail("d");
  EXPECT_FALSE(intake_.Offers("m"));
}

TEST_F(IntakeTest, AJobThatComesOutClearsItsModelAlone) {
  Fail("a", "m");
  Fail("b", "m");
  ComeOut("c", "n");
  Fail("d", "m");
  EXPECT_FALSE(intake_.Offers("m"));
  intake_.Tested("m", TestResult::kSound);
  Fail("e", "m");
  Fail("f", "m");
  ComeOut("g", "m");
  Fail("h", "m");
  EXPECT_TRUE(intake_.Offers("m"));
}

TEST_F(IntakeTest, RestsOnceAfterTheJobThatItGaveBack) {
  intake_.RestAfter("a", Millis(1'000));
  EXPECT_EQ(intake_.Look(), std::nullopt) << "the job is still in hand";
  clock_.Advance(Millis(5'000));
  GiveBack("a");
  EXPECT_EQ(intake_.Look(), Closed::kResting);
  clock_.Advance(Millis(1'000));
  EXPECT_EQ(intake_.Look(), std::nullopt);
  GiveBack("b");
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, DoesNotRestAfterAnotherJobOrOneThatCameOut) {
  intake_.RestAfter("a", Millis(1'000));
  GiveBack("b");
  EXPECT_EQ(intake_.Look(), std::nullopt);
  GiveBack("a");
  EXPECT_EQ(intake_.Look(), std::nullopt) << "that was long ago";
  intake_.RestAfter("c", Millis(1'000));
  ComeOut("c");
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, RestsAfterAJobThatIsGivenBackBehindOthersOfItsGroup) {
  intake_.RestAfter("a", Millis(1'000));
  intake_.JobEnded({.job = "b", .model = "m", .others_in_hand = true});
  EXPECT_EQ(intake_.Look(), std::nullopt);
  intake_.JobEnded({.job = "a", .model = "m", .others_in_hand = true});
  EXPECT_EQ(intake_.Look(), Closed::kResting);
}

TEST_F(IntakeTest, RestsForAMinuteAtMost) {
  intake_.RestAfter("a", Millis(3'600'000));
  GiveBack("a");
  clock_.Advance(Millis(59'999));
  EXPECT_EQ(intake_.Look(), Closed::kResting);
  clock_.Advance(Millis(1));
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, AnOrderClosesItForGoodAndGoesBeforeEverything) {
  FailThree();
  memory_ = 100;
  intake_.Close();
  EXPECT_EQ(intake_.DueTest(), std::nullopt);
  EXPECT_EQ(intake_.Look(), Closed::kOrdered);
  clock_.Advance(Millis(3'600'000));
  EXPECT_EQ(intake_.Look(), Closed::kOrdered);
}

TEST_F(IntakeTest, EachReasonHasAWord) {
  EXPECT_EQ(ToString(Closed::kOrdered), "ordered");
  EXPECT_EQ(ToString(Closed::kCordoned), "cordoned");
  EXPECT_EQ(ToString(Closed::kMemory), "memory");
  EXPECT_EQ(ToString(Closed::kResting), "resting");
}

TEST(IntakeMemoryTest, AJobThatDidNotFitIsLeftToALargerWorkerForAMoment) {
  FakeClock clock;
  Intake intake({.models = {"a", "b"}}, clock, [] { return 0.0; });
  intake.JobEnded({.job = "j",
                   .model = "a",
                   .failed = job::ErrorClass::kOutOfMemory,
                   .retry_in = Millis(2'000)});
  EXPECT_TRUE(intake.Offers("a")) << "it may not be tried yet";
  clock.Advance(Millis(2'000));
  EXPECT_FALSE(intake.Offers("a"));
  EXPECT_TRUE(intake.Offers("b"));
  EXPECT_EQ(intake.Look(), std::nullopt);
  intake.JobEnded({.job = "j", .model = "b", .failed = job::ErrorClass::kOutOfMemory});
  EXPECT_EQ(intake.Look(), Closed::kResting) << "all of its models";
  clock.Advance(Millis(1'500));
  EXPECT_TRUE(intake.Offers("a"));
  EXPECT_EQ(intake.Look(), std::nullopt);
}

}  // namespace
}  // namespace phasor::worker
