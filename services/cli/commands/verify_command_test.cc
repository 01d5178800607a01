// `phasor verify` against a gateway that draws what the test says, and a program in phasor-render's
// place.
#include "services/cli/commands/verify_command.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <grpcpp/server_context.h>

#include "common/base/hash.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/command_fixture.h"
#include "services/cli/draw/from_picture.h"
#include "services/cli/turn.h"

namespace phasor::cli {
namespace {

using ::testing::HasSubstr;

image::GenerationInfo Info() {
  image::GenerationInfo info;
  info.picture.prompt = "--a red circle";
  info.picture.seed = 7;
  info.picture.scheduler = "DDIMScheduler";
  info.model = "demo";
  info.model_digest = "0123456789abcdef";
  info.fingerprint = "f1";
  return info;
}

std::string Png(const image::GenerationInfo& info, uint8_t colour = 7) {
  const std::vector<uint8_t> rgb(8 * 8 * 3, colour);
  return image::EncodePng(8, 8, rgb, image::TextsOf(info)).value();
}

class Painter final : public v1::Images::Service {
 public:
  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override {
    const Turn turn;
    asked = request->request();
    response->set_job_id("job");
    return grpc::Status::OK;
  }
  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchEvent>* stream) override {
    const Turn turn;
    v1::WatchEvent event;
    event.mutable_job()->set_id("job");
    event.mutable_job()->set_state(end);
    stream->Write(event);
    return grpc::Status::OK;
  }
  grpc::Status GetResult(grpc::ServerContext*, const v1::GetResultRequest*,
                         grpc::ServerWriter<v1::ResultChunk>* stream) override {
    const Turn turn;
    v1::ResultChunk chunk;
    chunk.mutable_image()->set_size_bytes(static_cast<int64_t>(drawn.size()));
    chunk.mutable_image()->set_sha256(Sha256Hex(drawn));
    chunk.set_data(drawn);
    stream->Write(chunk);
    return grpc::Status::OK;
  }

  v1::GenerateRequest asked;
  v1::JobState end = v1::DONE;
  std::string drawn;
};

struct Services {
  Painter painter_;
};

class VerifyCommandTest : protected Services, public CommandFixture {
 protected:
  VerifyCommandTest() : CommandFixture({&painter_}) {
    std::filesystem::create_directories(folder_);
    Write(file_, Png(Info()));
  }
  ~VerifyCommandTest() override { std::filesystem::remove_all(folder_); }

  static void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  // A program that copies `drawn` to where it is told and keeps its words.
  std::string Program(const std::string& drawn, int exit_code = 0) {
    Write(folder_ + "/drawn.png", drawn);
    const std::string program = folder_ + "/render";
    Write(program, "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + folder_ + "/words\n" +
                       "for word; do case $word in --output=*) cp " + folder_ +
                       "/drawn.png \"${word#--output=}\";; esac; done\n" + "echo no such model\n" +
                       "exit " + std::to_string(exit_code) + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return program;
  }

  const std::string folder_ = ::testing::TempDir() + "/verify_command_test";
  const std::string file_ = folder_ + "/picture.png";
};

TEST_F(VerifyCommandTest, TheFleetIsAskedForWhatThePictureSays) {
  painter_.drawn = Png(Info());
  EXPECT_EQ(Run({"verify", file_}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("the same bytes"));
  EXPECT_EQ(painter_.asked.prompt(), "--a red circle");
  EXPECT_EQ(painter_.asked.seed(), 7);
  EXPECT_EQ(painter_.asked.scheduler(), "ddim");
  EXPECT_EQ(painter_.asked.model(), "demo");
}

TEST_F(VerifyCommandTest, TheSamePixelsAreEnoughAndTheReasonIsTold) {
  image::GenerationInfo elsewhere = Info();
  elsewhere.fingerprint = "f2";
  painter_.drawn = Png(elsewhere);
  EXPECT_EQ(Run({"verify", file_}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("the same pixels, other bytes\n  the fingerprint"));
}

TEST_F(VerifyCommandTest, OtherPixelsAreAFailureWithItsReason) {
  image::GenerationInfo other = Info();
  other.model_digest = "fedcba9876543210";
  painter_.drawn = Png(other, 9);
  EXPECT_EQ(Run({"verify", file_}), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("64 of 64 pixels differ, by at most 2 of 255"));
  EXPECT_THAT(out_.str(), HasSubstr("the model is another"));
  EXPECT_EQ(Run({"verify", file_, "--json"}), kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("\"same_pixels\":false"));
}

TEST_F(VerifyCommandTest, AJobThatComesToNothingIsNoVerdict) {
  painter_.end = v1::FAILED;
  EXPECT_EQ(Run({"verify", file_}), kFailed);
  EXPECT_EQ(out_.str(), "");
}

TEST_F(VerifyCommandTest, ThisMachineDrawsWithoutAFleet) {
  const std::string program = Program(Png(Info()));
  EXPECT_EQ(Run({"verify", file_, "--engine", "local", "--model", "models/demo", "--render-program",
                 program}),
            kOk)
      << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("the same bytes"));
  std::ostringstream words;
  words << std::ifstream(folder_ + "/words").rdbuf();
  for (const char* word : {"--model=models/demo\n", "--prompt=--a red circle\n", "--seed=7\n",
                           "--scheduler=ddim\n", "--images=1\n", "--negative\n\n"}) {
    EXPECT_THAT(words.str(), HasSubstr(word));
  }
}

TEST_F(VerifyCommandTest, WeightsAreStoredAgainAsTheyWere) {
  image::GenerationInfo info = Info();
  info.weights = "NF4_QUANTIZED";
  Write(file_, Png(info));
  painter_.drawn = Png(info);
  EXPECT_EQ(Run({"verify", file_}), kOk);
  EXPECT_EQ(painter_.asked.strategy(), v1::NF4_QUANTIZED);
  EXPECT_EQ(Run({"verify", file_, "--engine", "local", "--model", "m", "--render-program",
                 Program(Png(info))}),
            kOk);
  std::ostringstream words;
  words << std::ifstream(folder_ + "/words").rdbuf();
  EXPECT_THAT(words.str(), HasSubstr("--strategy=NF4_QUANTIZED\n"));
}

TEST_F(VerifyCommandTest, WrongWordsAreNamed) {
  EXPECT_EQ(Run({"verify", folder_ + "/none.png"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("none.png"));
  EXPECT_EQ(Run({"verify", file_, "--engine", "local"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--model"));
  EXPECT_EQ(Run({"verify", file_, "--engine", "cloud"}), kUsage);
  EXPECT_EQ(Run({"verify", file_, "--engine", "local", "--model", "m", "--render-program",
                 "/nowhere/render"}),
            kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("/nowhere/render can't be started"));
  EXPECT_EQ(Run({"verify", file_, "--engine", "local", "--model", "m", "--render-program",
                 Program("", 2)}),
            kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no such model"));
}

}  // namespace
}  // namespace phasor::cli
