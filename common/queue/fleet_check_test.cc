#include "common/queue/fleet_check.h"

#include <gtest/gtest.h>

namespace phasor::queue {
namespace {

bool Says(const Status& status, const std::string& words) {
  return Message(status).find(words) != std::string::npos;
}

// A foundation that answers as the test wishes.
class FakeFoundation final : public Foundation {
 public:
  StatusOr<Footing> Check() override {
    ++checks;
    return footing;
  }
  StatusOr<std::string> Agree(const std::string& fact, const std::string& value) override {
    if (!away.ok()) return away;
    return facts.Agree(fact, value);
  }
  int64_t connections() const override { return made; }

  StatusOr<Footing> footing = Footing{};
  Status away;
  MemoryFoundation facts;
  int64_t made = 1;
  int checks = 0;
};

class FleetCheckTest : public testing::Test {
 protected:
  FleetCheck Make(const std::string& secret = "secret-of-the-fleet", bool allow_job_loss = false) {
    return FleetCheck(
        {.foundation = &foundation_,
         .clock = &clock_,
         .identify_store = [this](const std::string& remembered) { return Identify(remembered); },
         .store_is_new = [this] { return store_is_new_; },
         .secret = secret,
         .allow_job_loss = allow_job_loss});
  }
  StatusOr<std::string> Identify(const std::string& remembered) {
    if (!store_.ok() || remembered.empty() || remembered == *store_) return store_;
    return FailedPrecondition("another store");
  }
  void Later() { clock_.Advance(Millis(20'000)); }

  FakeClock clock_;
  FakeFoundation foundation_;
  StatusOr<std::string> store_ = std::string("store-1");
  StatusOr<bool> store_is_new_ = true;
};

TEST_F(FleetCheckTest, TheFirstProcessSaysWhatTheOthersHaveToHave) {
  FleetCheck first = Make();
  EXPECT_EQ(first.serve().code(), StatusCode::kUnavailable) << "nothing is known yet";
  EXPECT_TRUE(first.Look().ok());
  EXPECT_TRUE(first.serve().ok());
  EXPECT_TRUE(first.refused().ok());
  EXPECT_EQ(*foundation_.facts.Agree("store", ""), "store-1");
  EXPECT_EQ(*foundation_.facts.Agree("secret", ""), SecretFingerprint("secret-of-the-fleet"));
  EXPECT_TRUE(Make().Look().ok());
  EXPECT_TRUE(Make("").Look().ok()) << "a worker has no secret";
}

TEST_F(FleetCheckTest, OnlyWhereQueueAndStoreBeginTogetherIsTheQueueWhole) {
  foundation_.footing = Footing{.job_loss = "", .instance = "run-1"};
  store_is_new_ = Unavailable("away");
  EXPECT_EQ(Make().Look().code(), StatusCode::kUnavailable) << "asked again before anything begins";
  EXPECT_EQ(*foundation_.facts.Agree("store", ""), "");
  store_is_new_ = true;
  ASSERT_TRUE(Make().Look().ok());
  EXPECT_EQ(*foundation_.facts.Agree("whole", ""), "run-1");
  // Another run later does not make it whole again, however empty the store is.
  foundation_.footing = Footing{.job_loss = "", .instance = "run-2"};
  ASSERT_TRUE(Make().Look().ok());
  EXPECT_EQ(*foundation_.facts.Agree("whole", ""), "run-1");
}

TEST_F(FleetCheckTest, AQueueThatBeginsWithAnOldStoreIsNotWhole) {
  foundation_.footing = Footing{.job_loss = "", .instance = "run-1"};
  store_is_new_ = false;
  ASSERT_TRUE(Make().Look().ok());
  store_is_new_ = true;
  ASSERT_TRUE(Make().Look().ok()) << "what was deleted later makes no difference";
  EXPECT_EQ(*foundation_.facts.Agree("whole", ""), "");
}

TEST_F(FleetCheckTest, AnotherSecretIsRefusedAndBothFingerprintsAreNamed) {
  ASSERT_TRUE(Make().Look().ok());
  FleetCheck other = Make("another-secret-one");
  EXPECT_EQ(other.Look().code(), StatusCode::kFailedPrecondition);
  for (const Status& status : {other.serve(), other.refused()}) {
    EXPECT_TRUE(Says(status, SecretFingerprint("another-secret-one"))) << status;
    EXPECT_TRUE(Says(status, SecretFingerprint("secret-of-the-fleet"))) << status;
    EXPECT_FALSE(Says(status, "another-secret-one")) << status;
  }
}

TEST_F(FleetCheckTest, AnotherStoreIsRefused) {
  ASSERT_TRUE(Make().Look().ok());
  store_ = std::string("store-2");
  FleetCheck other = Make();
  EXPECT_EQ(other.Look().code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(other.serve().ok());
  EXPECT_FALSE(other.refused().ok());
}

TEST_F(FleetCheckTest, AStoreThatTurnsIntoAnotherIsServedNoMoreUntilItIsBack) {
  FleetCheck check = Make();
  ASSERT_TRUE(check.Look().ok());
  store_ = FailedPrecondition("its volume is not mounted");
  EXPECT_TRUE(check.Look().ok()) << "it is not asked each time";
  Later();
  EXPECT_EQ(check.Look().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(check.serve().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(check.refused().ok()) << "a process that was of use does not end";
  store_ = std::string("store-1");
  EXPECT_TRUE(check.Look().ok()) << "what is wrong is asked for each time";
  EXPECT_TRUE(check.serve().ok());
}

TEST_F(FleetCheckTest, AStoreThatIsAwayChangesNothingOnceItIsKnown) {
  store_ = Unavailable("away");
  FleetCheck check = Make();
  EXPECT_EQ(check.Look().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(check.serve().ok());
  EXPECT_TRUE(check.refused().ok());
  store_ = std::string("store-1");
  EXPECT_TRUE(check.Look().ok());
  store_ = Unavailable("away");
  Later();
  EXPECT_TRUE(check.Look().ok());
  EXPECT_TRUE(check.serve().ok());
}

TEST_F(FleetCheckTest, ARedisThatIsAwayIsWaitedForAndLeavesTheVerdictOnServing) {
  FleetCheck check = Make();
  foundation_.footing = Unavailable("away");
  EXPECT_EQ(check.Look().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(check.serve().ok());
  EXPECT_TRUE(check.refused().ok());
  foundation_.footing = Footing{};
  EXPECT_TRUE(check.Look().ok());
  foundation_.away = Unavailable("away between two questions");
  Later();
  (void)check.Look();
  EXPECT_TRUE(check.serve().ok());
  foundation_.footing = Unavailable("away");
  Later();
  EXPECT_EQ(check.Look().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(check.serve().ok());
  EXPECT_TRUE(check.refused().ok());
}

TEST_F(FleetCheckTest, WhatIsWrongFromTheStartIsRefusedAndWhatTurnsWrongIsOnlyNotReady) {
  for (const std::string wrong :
       {"Redis 7.0 or newer is needed", "the Redis user lacks +publish"}) {
    foundation_.footing = FailedPrecondition(wrong);
    FleetCheck from_the_start = Make();
    EXPECT_TRUE(Says(from_the_start.Look(), wrong));
    EXPECT_TRUE(Says(from_the_start.refused(), wrong));
    EXPECT_FALSE(from_the_start.serve().ok());

    foundation_.footing = Footing{};
    FleetCheck later = Make();
    ASSERT_TRUE(later.Look().ok());
    foundation_.footing = FailedPrecondition(wrong);
    ++foundation_.made;
    EXPECT_TRUE(Says(later.Look(), wrong)) << "a reconnect is looked at at once";
    EXPECT_TRUE(later.refused().ok());
    EXPECT_TRUE(later.serve().ok());
  }
}

TEST_F(FleetCheckTest, LossOfJobsIsRefusedUnlessItIsAllowedAndThenItIsSaid) {
  foundation_.footing = Footing{.job_loss = "this Redis evicts keys"};
  FleetCheck strict = Make();
  EXPECT_TRUE(Says(strict.Look(), "this Redis evicts keys"));
  EXPECT_TRUE(Says(strict.refused(), "--allow-job-loss"));
  FleetCheck lenient = Make("", true);
  EXPECT_TRUE(lenient.Look().ok());
  EXPECT_EQ(lenient.job_loss(), "this Redis evicts keys");
  foundation_.footing = Footing{};
  Later();
  EXPECT_TRUE(lenient.Look().ok());
  EXPECT_EQ(lenient.job_loss(), "");
}

TEST_F(FleetCheckTest, WhileAllIsWellRedisIsAskedSeldom) {
  FleetCheck check = Make();
  for (int second = 0; second < 60; ++second) {
    EXPECT_TRUE(check.Look().ok());
    clock_.Advance(Millis(1'000));
  }
  EXPECT_EQ(foundation_.checks, 4);
}

TEST(SecretFingerprintTest, TellsSecretsApartAndDoesNotTellThem) {
  const std::string one = SecretFingerprint("0123456789abcdef");
  EXPECT_EQ(one, SecretFingerprint("0123456789abcdef"));
  EXPECT_NE(one, SecretFingerprint("0123456789abcdeg"));
  EXPECT_EQ(one.size(), 16u);
  EXPECT_EQ(one.find("0123456789"), std::string::npos);
}

}  // namespace
}  // namespace phasor::queue
