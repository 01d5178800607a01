#include "engine/fake/fault_player.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/device_lost.h"
#include "engine/fake/fake_engine.h"

namespace phasor::engine {
namespace {

class FaultPlayerTest : public testing::Test {
 protected:
  FaultPlayerTest() {
    model_ = engine_->Load(std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo")
                 .value();
  }

  static PictureSpec SpecOf(const std::string& prompt) {
    PictureSpec spec;
    spec.prompt = prompt;
    spec.width = spec.height = 32;
    spec.steps = 4;
    spec.images = 2;
    return spec;
  }
  std::unique_ptr<engine::Run> Start(const std::string& prompt) {
    return model_->Start(SpecOf(prompt)).value();
  }
  // Advances to the end; gives the units (counted from 0) that failed and, last, how.
  std::vector<int> Failures(engine::Run* run, Status* last = nullptr) {
    std::vector<int> failed;
    for (int unit = 0; run->Next().kind != UnitKind::kDone && failed.size() < 5;) {
      const Status status = run->Advance();
      if (status.ok()) {
        ++unit;
        continue;
      }
      failed.push_back(unit);
      if (last != nullptr) *last = status;
    }
    return failed;
  }

  Millis slept_{0};
  std::unique_ptr<Engine> engine_ =
      MakeFakeEngine({.sleep = [this](Millis time) { slept_ += time; }});
  std::shared_ptr<Model> model_;
};

TEST_F(FaultPlayerTest, FailsTheUnitThatThePromptNamesInTheEnginesWords) {
  struct Case {
    std::string prompt;
    std::vector<int> failed;  // encode is 0, steps are 1 to 4, pictures 5 and 6
    StatusCode code;
  };
  const std::vector<Case> cases = {
      {"fault:oom@encodex1", {0}, StatusCode::kResourceExhausted},
      {"fault:internal@step0x1", {1}, StatusCode::kInternal},
      {"fault:oom@step3x2", {4, 4}, StatusCode::kResourceExhausted},
      {"fault:device-lost@decodex1", {5}, StatusCode::kUnavailable},
      {"fault:internal@decodex2", {5, 5}, StatusCode::kInternal},
      {"fault:internal@step2", {3, 3, 3, 3, 3}, StatusCode::kInternal},
      {"fault:internal@step1x1 fault:oom@step1x1", {2, 2}, StatusCode::kResourceExhausted},
      {"fault:internal@step4", {}, StatusCode::kOk},
  };
  for (const Case& c : cases) {
    Status last;
    const auto run = Start(c.prompt);
    EXPECT_EQ(Failures(run.get(), &last), c.failed) << c.prompt;
    EXPECT_EQ(last.code(), c.code) << c.prompt;
    EXPECT_EQ(IsDeviceLost(last), c.prompt.find("device-lost") != std::string::npos) << c.prompt;
  }
}

TEST_F(FaultPlayerTest, CountsForTheEngineAndEachJobApart) {
  EXPECT_EQ(Failures(Start("fault:oom@step1x1").get()).size(), 1u);
  EXPECT_TRUE(Failures(Start("fault:oom@step1x1").get()).empty()) << "the same job again";
  PictureSpec other = SpecOf("fault:oom@step1x1");
  other.seed = 9;
  EXPECT_EQ(Failures(model_->Start(other).value().get()).size(), 1u) << "another job";
  const auto restarted = MakeFakeEngine();
  const auto model =
      restarted->Load(std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo");
  const auto run = (*model)->Start(SpecOf("fault:oom@step1x1")).value();
  EXPECT_EQ(Failures(run.get()).size(), 1u) << "another process";
}

TEST_F(FaultPlayerTest, AFaultLeavesThePictureAsItWouldBeAndTheCallersHookAlive) {
  const auto disturbed = Start("a cat fault:oom@step1x1");
  EXPECT_EQ(Failures(disturbed.get()).size(), 1u);
  const auto again = Start("a cat fault:oom@step1x1");
  EXPECT_TRUE(Failures(again.get()).empty());
  EXPECT_EQ(disturbed->images()[0].rgb, again->images()[0].rgb);

  engine_ = MakeFakeEngine({.before_unit = FailNthUnit(1, Internal("the hook"))});
  model_ =
      engine_->Load(std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo").value();
  EXPECT_EQ(Message(Start("fault:oom@encodex1")->Advance()), "the hook");
}

TEST_F(FaultPlayerTest, AHangLastsLongerThanAnybodyWaits) {
  const auto run = Start("fault:hang@encodex1");
  EXPECT_EQ(run->Advance().code(), StatusCode::kDeadlineExceeded);
  EXPECT_GE(slept_, Millis(24 * 3600 * 1000));
}

TEST_F(FaultPlayerTest, ACrashEndsTheProcessOnTheSpot) {
  const auto run = Start("fault:crash@encode");
  EXPECT_EXIT((void)run->Advance(), testing::ExitedWithCode(kCrashExitCode), "");
}

TEST_F(FaultPlayerTest, AMalformedDirectiveIsRefusedAtTheStart) {
  EXPECT_EQ(model_->Start(SpecOf("fault:flood@step1")).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::engine
