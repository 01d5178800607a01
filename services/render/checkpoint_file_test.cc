#include "services/render/checkpoint_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/file.h"
#include "engine/fake/fake_engine.h"

namespace phasor::render {
namespace {

class CheckpointFileTest : public testing::Test {
 protected:
  CheckpointFileTest() {
    directory_ = std::filesystem::path(testing::TempDir()) / ("render-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
    model_ = engine_->Load(std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo")
                 .value();
    run_ = model_->Start(PictureSpec{}).value();
  }
  ~CheckpointFileTest() override { std::filesystem::remove_all(directory_); }

  void Advance(int units) {
    for (int i = 0; i < units; ++i) ASSERT_TRUE(run_->Advance().ok());
  }

  FakeClock clock_;
  std::filesystem::path directory_;
  std::unique_ptr<engine::Engine> engine_ = engine::MakeFakeEngine();
  std::shared_ptr<engine::Model> model_;
  std::unique_ptr<engine::Run> run_;
};

TEST_F(CheckpointFileTest, IsWrittenOnlyAfterAWhile) {
  CheckpointFile file(directory_, *run_, clock_);
  Advance(2);
  ASSERT_TRUE(file.AfterStep(*run_).ok());
  EXPECT_FALSE(std::filesystem::exists(file.path()));
  clock_.Advance(Millis(10'000));
  ASSERT_TRUE(file.AfterStep(*run_).ok());
  EXPECT_TRUE(std::filesystem::exists(file.path()));
}

TEST_F(CheckpointFileTest, HoldsWhatARunGoesOnFrom) {
  CheckpointFile file(directory_, *run_, clock_);
  Advance(4);
  ASSERT_TRUE(file.Write(*run_).ok());
  const auto other = model_->Start(PictureSpec{}).value();
  ASSERT_TRUE(other->Restore(ReadFile(file.path(), 1 << 20).value()).ok());
  EXPECT_EQ(other->Report().resumed_from_step, 3);
}

TEST_F(CheckpointFileTest, SaysWhenThereIsNothingToWrite) {
  CheckpointFile file(directory_, *run_, clock_);
  EXPECT_EQ(file.Write(*run_).code(), StatusCode::kFailedPrecondition);
}

TEST_F(CheckpointFileTest, KeepsTheEarlierOneWhileDecoding) {
  CheckpointFile file(directory_, *run_, clock_);
  Advance(21);
  ASSERT_TRUE(file.Write(*run_).ok());
  Advance(1);
  EXPECT_TRUE(file.Write(*run_).ok());
  EXPECT_TRUE(std::filesystem::exists(file.path()));
  file.Remove();
  EXPECT_FALSE(std::filesystem::exists(file.path()));
}

TEST_F(CheckpointFileTest, ReportsAFailureOnceAndGoesOn) {
  CheckpointFile file(directory_ / "missing", *run_, clock_);
  Advance(2);
  clock_.Advance(Millis(10'000));
  EXPECT_FALSE(file.AfterStep(*run_).ok());
  clock_.Advance(Millis(10'000));
  EXPECT_TRUE(file.AfterStep(*run_).ok());
}

}  // namespace
}  // namespace phasor::render
