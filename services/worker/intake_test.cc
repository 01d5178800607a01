#include "services/worker/intake.h"

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

class IntakeTest : public ::testing::Test {
 protected:
  void FailThree() {
    for (const char* job : {"a", "b", "c"}) {
      intake_.JobEnded(job, false, job::ErrorClass::kInternal);
    }
  }

  FakeClock clock_;
  double memory_ = 50;
  int asked_ = 0;
  Intake intake_{
      {.cordon = {.cool_down = Millis(30'000)}, .max_memory_percent = 90}, clock_, [this] {
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

TEST_F(IntakeTest, IsClosedWhileTheWorkerDoubtsItself) {
  FailThree();
  EXPECT_EQ(intake_.Look(), Closed::kCordoned);
  clock_.Advance(Millis(30'000));
  EXPECT_EQ(intake_.Look(), std::nullopt) << "for a probe";
  intake_.JobEnded("probe", false, job::ErrorClass::kInternal);
  EXPECT_EQ(intake_.Look(), Closed::kCordoned);
  clock_.Advance(Millis(60'000));
  intake_.JobEnded("probe", true, std::nullopt);
  FailThree();
  clock_.Advance(Millis(30'000));
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, AJobThatWasGivenBackSpeaksNeitherForNorAgainstTheWorker) {
  intake_.JobEnded("a", false, job::ErrorClass::kInternal);
  intake_.JobEnded("b", false, job::ErrorClass::kInternal);
  intake_.JobEnded("c", false, std::nullopt);
  intake_.JobEnded("d", false, job::ErrorClass::kInternal);
  EXPECT_EQ(intake_.Look(), Closed::kCordoned);
}

TEST_F(IntakeTest, RestsOnceAfterTheJobThatItGaveBack) {
  intake_.RestAfter("a", Millis(1'000));
  EXPECT_EQ(intake_.Look(), std::nullopt) << "the job is still in hand";
  clock_.Advance(Millis(5'000));
  intake_.JobEnded("a", false, std::nullopt);
  EXPECT_EQ(intake_.Look(), Closed::kResting);
  clock_.Advance(Millis(1'000));
  EXPECT_EQ(intake_.Look(), std::nullopt);
  intake_.JobEnded("b", false, std::nullopt);
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, DoesNotRestAfterAnotherJobOrOneThatCameOut) {
  intake_.RestAfter("a", Millis(1'000));
  intake_.JobEnded("b", false, std::nullopt);
  EXPECT_EQ(intake_.Look(), std::nullopt);
  intake_.JobEnded("a", false, std::nullopt);
  EXPECT_EQ(intake_.Look(), std::nullopt) << "that was long ago";
  intake_.RestAfter("c", Millis(1'000));
  intake_.JobEnded("c", true, std::nullopt);
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, RestsForAMinuteAtMost) {
  intake_.RestAfter("a", Millis(3'600'000));
  intake_.JobEnded("a", false, std::nullopt);
  clock_.Advance(Millis(59'999));
  EXPECT_EQ(intake_.Look(), Closed::kResting);
  clock_.Advance(Millis(1));
  EXPECT_EQ(intake_.Look(), std::nullopt);
}

TEST_F(IntakeTest, AnOrderClosesItForGoodAndGoesBeforeEverything) {
  FailThree();
  memory_ = 100;
  intake_.Close();
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

}  // namespace
}  // namespace phasor::worker
