#include "services/cli/commands/doctor_command.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "engine/memory/presets.h"
#include "gmock/gmock.h"
#include "services/cli/command_fixture.h"

namespace phasor::cli {
namespace {

using ::testing::HasSubstr;

// With a script in phasor-render's place, and a folder with one model that is whole.
class DoctorTest : public CommandFixture {
 protected:
  DoctorTest() : CommandFixture(std::vector<grpc::Service*>{}) {
    std::filesystem::create_directories(models_ + "/tiny");
    std::ofstream(models_ + "/tiny/model_index.json")
        << R"({"_class_name": "StableDiffusionPipeline"})";
    std::ofstream(program_) << R"(#!/bin/sh
case "$*" in
  *--vram=1GiB*) echo 'a word on standard error' >&2
    echo '{"strategy":"CPU_OFFLOAD","peak_bytes":2147483648}'
    exit 4;;
  *--vram=bad*) echo 'no such size' >&2; exit 2;;
  *) echo '{"strategy":"FP16_FULL","peak_bytes":1048576}';;
esac
)";
    ::chmod(program_.c_str(), 0700);
  }
  std::string Flag(const std::string& cards) { return "--cards=" + cards; }

  const std::string models_ = ::testing::TempDir() + "/doctor_models";
  const std::string program_ = ::testing::TempDir() + "/doctor_render";
};

TEST_F(DoctorTest, TellsTheMachineAndWhatEachModelWouldGet) {
  EXPECT_EQ(Run({"doctor", "--models", models_, "--render", program_, "--cards", "1GiB"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("memory     "));
  EXPECT_THAT(out_.str(), HasSubstr("model      tiny, "));
  EXPECT_THAT(out_.str(), HasSubstr("  cpu      FP16_FULL, 1MiB\n"));
  EXPECT_THAT(out_.str(), HasSubstr("  1GiB     does not fit: CPU_OFFLOAD, 2GiB\n"));
}

TEST_F(DoctorTest, TheSameAsJson) {
  EXPECT_EQ(Run({"doctor", "--models", models_, "--render", program_, "--cards", "bad", "--json"}),
            kOk);
  const auto report = nlohmann::json::parse(out_.str());
  EXPECT_GT(report["cores"], 0);
  EXPECT_TRUE(engine::FindPreset(report["preset"].get<std::string>()).ok());
  EXPECT_EQ(report["models"][0]["plans"][0]["strategy"], "FP16_FULL");
  EXPECT_THAT(report["models"][0]["plans"][1]["error"].get<std::string>(),
              HasSubstr("no such size"));
}

TEST_F(DoctorTest, WithoutModelsItSaysSo) {
  EXPECT_EQ(Run({"doctor", "--models", "/nowhere", "--render", program_}), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("left out   "));
}

TEST_F(DoctorTest, APlanIsWhatPhasorRenderPrints) {
  EXPECT_EQ(Run({"models", "plan", "tiny", "--models", models_, "--render", program_}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("FP16_FULL"));
  EXPECT_EQ(Run({"models", "plan", models_ + "/tiny", "--device", "sim", "--vram", "1GiB",
                 "--render", program_}),
            kFailed);
  EXPECT_EQ(Run({"models", "plan", "other", "--models", models_, "--render", program_}), kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("there are: tiny"));
}

}  // namespace
}  // namespace phasor::cli
