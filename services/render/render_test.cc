#include "services/render/render.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <sstream>

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/image/png.h"
#include "engine/fake/fake_engine.h"

namespace phasor::render {
namespace {

constexpr size_t kPlenty = 1 << 20;

// Renders with the fake engine into a directory of its own.
class RenderTest : public testing::Test {
 protected:
  RenderTest() {
    directory_ =
        std::filesystem::path(testing::TempDir()) / ("render-job-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
    options_.model = std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo";
    Give("prompt", "a red circle");
    Give("steps", "4");
    options_.output = Path("out.png");
    options_.report = Path("report.json");
  }
  ~RenderTest() override { std::filesystem::remove_all(directory_); }

  void Give(std::string_view parameter, const std::string& text) {
    EXPECT_TRUE(options_.asked.Read(parameter, text).ok()) << parameter;
  }
  std::string Path(const std::string& name) const { return directory_ / name; }
  std::string Bytes(const std::string& name) const { return ReadFile(Path(name), kPlenty).value(); }
  nlohmann::json Report() const { return nlohmann::json::parse(Bytes("report.json")); }

  ExitCode Run() {
    out_.str("");
    err_.str("");
    return Render(options_, {.make_engine =
                                 [this](const engine::EngineOptions&) {
                                   return StatusOr<std::unique_ptr<engine::Engine>>(
                                       engine::MakeFakeEngine(fake_));
                                 },
                             .clock = clock_,
                             .stop = stop_,
                             .err_is_terminal = false,
                             .out = out_,
                             .err = err_});
  }

  RenderOptions options_;
  engine::FakeOptions fake_;
  FakeClock clock_;
  std::atomic<bool> stop_ = false;
  std::ostringstream out_, err_;
  std::filesystem::path directory_;
};

TEST_F(RenderTest, WritesThePictureAndTheReport) {
  ASSERT_EQ(Run(), ExitCode::kDone) << err_.str();
  EXPECT_EQ(out_.str(), options_.output + "\n");
  const image::Png png = image::DecodePng(Bytes("out.png"), kPlenty).value();
  EXPECT_EQ(png.width, 128) << "the card's default";
  EXPECT_EQ(png.texts[0].keyword, "parameters");
  const auto report = Report();
  EXPECT_EQ(report["status"], "done");
  EXPECT_EQ(report["seconds"]["steps"].size(), 4u);
  EXPECT_EQ(report["images"][0]["path"], options_.output);
  EXPECT_EQ(report["fingerprint"].get<std::string>().size(), 64u);
}

TEST_F(RenderTest, NumbersSeveralPictures) {
  Give("images", "2");
  Give("seed", "41");
  ASSERT_EQ(Run(), ExitCode::kDone) << err_.str();
  EXPECT_NE(Bytes("out-0.png"), Bytes("out-1.png"));
  EXPECT_FALSE(std::filesystem::exists(options_.output));
  EXPECT_EQ(Report()["images"][1]["seed"], 42);
}

TEST_F(RenderTest, StopsWithACheckpointAndGoesOnToTheSameBytes) {
  ASSERT_EQ(Run(), ExitCode::kDone);
  const std::string whole = Bytes("out.png");
  std::filesystem::remove(options_.output);
  options_.checkpoint_dir = Path("checkpoints");
  for (int k = 1; k <= 4; ++k) {
    options_.resume.clear();
    options_.stop_after_step = k;
    ASSERT_EQ(Run(), ExitCode::kInterrupted) << err_.str();
    EXPECT_EQ(Report()["status"], "interrupted");
    EXPECT_FALSE(std::filesystem::exists(options_.output));
    options_.resume = Report()["checkpoint"];
    options_.stop_after_step.reset();
    ASSERT_EQ(Run(), ExitCode::kDone) << err_.str();
    EXPECT_EQ(Report()["resume"]["from_step"], k);
    EXPECT_EQ(Bytes("out.png"), whole) << k;
    std::filesystem::remove(options_.output);
  }
}

TEST_F(RenderTest, StopsAtTheNextUnitOnASignal) {
  options_.checkpoint_dir = Path("checkpoints");
  fake_.before_unit = [this](const PictureSpec&, const engine::Unit& unit) {
    if (unit.kind == engine::UnitKind::kStep && unit.index == 1) stop_ = true;
    return OkStatus();
  };
  EXPECT_EQ(Run(), ExitCode::kInterrupted) << err_.str();
  EXPECT_NE(err_.str().find("--resume"), std::string::npos);
  options_.checkpoint_dir.clear();
  EXPECT_EQ(Run(), ExitCode::kStopped);
}

TEST_F(RenderTest, StartsAgainWhenTheCheckpointIsBrokenOrForeign) {
  ASSERT_EQ(Run(), ExitCode::kDone);
  const std::string whole = Bytes("out.png");
  options_.checkpoint_dir = Path("checkpoints");
  options_.stop_after_step = 2;
  Give("seed", "1");
  ASSERT_EQ(Run(), ExitCode::kInterrupted);
  const std::string foreign = Report()["checkpoint"];
  ASSERT_TRUE(WriteFileDurably(Path("broken"), "no checkpoint").ok());
  Give("seed", "0");
  options_.stop_after_step.reset();
  for (const std::string& file : {foreign, Path("broken")}) {
    options_.resume = file;
    ASSERT_EQ(Run(), ExitCode::kDone) << err_.str();
    EXPECT_EQ(Bytes("out.png"), whole);
    EXPECT_NE(err_.str().find("starting at step 0"), std::string::npos) << err_.str();
    EXPECT_EQ(Report()["resume"]["resumed"], false);
    EXPECT_NE(Report()["resume"]["refused"], "");
  }
}

TEST_F(RenderTest, WritesAPreviewOfEveryStep) {
  options_.preview_dir = Path("previews");
  ASSERT_EQ(Run(), ExitCode::kDone) << err_.str();
  const image::Png preview =
      image::DecodePng(Bytes("previews/step-3-image-0.png"), kPlenty).value();
  EXPECT_EQ(preview.width, 16);
}

TEST_F(RenderTest, GivesEachFailureItsExitCodeAndASentence) {
  struct Case {
    const char* what;
    std::function<void(RenderOptions*)> change;
    ExitCode code;
    const char* text;
  };
  const Case cases[] = {
      {"no model", [](auto* o) { o->model = "/nowhere"; }, ExitCode::kModelUnreadable, "/nowhere"},
      {"width 7", [](auto* o) { (void)o->asked.Read("width", "7"); }, ExitCode::kBadArguments,
       "width"},
      {"no steps", [](auto* o) { (void)o->asked.Read("steps", "0"); }, ExitCode::kBadArguments,
       "steps"},
      {"unknown scheduler", [](auto* o) { (void)o->asked.Read("scheduler", "magic"); },
       ExitCode::kBadArguments, "scheduler"},
      {"no such folder", [](auto* o) { o->output = "/nowhere/out.png"; }, ExitCode::kBadArguments,
       "--output: there is no directory /nowhere"},
      {"output is a folder", [](auto* o) { o->output = "/tmp"; }, ExitCode::kBadArguments,
       "--output: /tmp is a directory"},
      {"checkpoints under a file", [](auto* o) { o->checkpoint_dir = "/dev/null/x"; },
       ExitCode::kBadArguments, "/dev/null"},
      {"checkpoint missing", [](auto* o) { o->resume = "/nowhere"; }, ExitCode::kFailed,
       "/nowhere"},
      {"a plan of an engine without memory", [](auto* o) { o->plan = true; }, ExitCode::kFailed,
       "plan: this engine"},
      {"no tensors", [](auto* o) { o->latents = "/nowhere"; }, ExitCode::kFailed, "--latents"},
  };
  const RenderOptions good = options_;
  for (const Case& test : cases) {
    options_ = good;
    test.change(&options_);
    EXPECT_EQ(Run(), test.code) << test.what << ": " << err_.str();
    EXPECT_NE(err_.str().find(test.text), std::string::npos) << test.what << ": " << err_.str();
    EXPECT_EQ(Report()["status"], "failed") << test.what;
  }
}

TEST_F(RenderTest, TellsMemoryFromOtherFailures) {
  fake_.before_unit = engine::FailNthUnit(2, ResourceExhausted("out of memory"));
  EXPECT_EQ(Run(), ExitCode::kDoesNotFit);
  fake_.before_unit = engine::FailNthUnit(2, Internal("broken"));
  EXPECT_EQ(Run(), ExitCode::kFailed);
  EXPECT_EQ(Report()["error"], "broken");
}

}  // namespace
}  // namespace phasor::render
