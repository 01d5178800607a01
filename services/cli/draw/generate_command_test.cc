// `phasor generate` with several jobs, pictures and outputs, against a gateway that draws at once.
#include "services/cli/draw/generate_command.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <grpcpp/server_context.h>

#include "common/base/hash.h"
#include "common/image/png.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/command_fixture.h"
#include "services/cli/turn.h"

namespace phasor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string SmallPicture() {
  return *image::EncodePng(2, 2, std::vector<uint8_t>(size_t{3} * 2 * 2, 9), {});
}

// Jobs are named after their prompts; a prompt says how its job ends.
class Images final : public v1::Images::Service {
 public:
  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override {
    const Turn turn;
    const std::string& prompt = request->request().prompt();
    if (prompt == "refused") return {grpc::INVALID_ARGUMENT, "not this one"};
    pictures_[prompt] = std::max(1, request->request().images());
    response->set_job_id(prompt);
    return grpc::Status::OK;
  }
  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchEvent>* stream) override {
    v1::WatchEvent event;
    event.mutable_progress()->set_state(v1::DIFFUSION_RUNNING);
    event.mutable_progress()->set_step(1);
    event.mutable_progress()->set_steps(2);
    stream->Write(event);
    const std::string& id = request->job_id();
    event.mutable_job()->set_id(id);
    event.mutable_job()->set_state(id == "expires" ? v1::EXPIRED : v1::DONE);
    if (id == "long") event.mutable_job()->mutable_result()->add_warnings("the prompt was cut");
    stream->Write(event);
    return grpc::Status::OK;
  }
  grpc::Status Cancel(grpc::ServerContext*, const v1::CancelRequest* request,
                      v1::Job* response) override {
    const Turn turn;
    canceled.push_back(request->job_id());
    response->set_id(request->job_id());
    response->set_state(v1::CANCELED);
    return grpc::Status::OK;
  }
  grpc::Status GetResult(grpc::ServerContext*, const v1::GetResultRequest* request,
                         grpc::ServerWriter<v1::ResultChunk>* stream) override {
    const Turn turn;
    const std::string bytes = SmallPicture();
    for (int i = 0; i < pictures_[request->job_id()]; ++i) {
      v1::ResultChunk chunk;
      chunk.mutable_image()->set_index(i);
      chunk.mutable_image()->set_seed(7 + i);
      chunk.mutable_image()->set_size_bytes(static_cast<int64_t>(bytes.size()));
      chunk.mutable_image()->set_sha256(Sha256Hex(bytes));
      chunk.set_data(bytes);
      stream->Write(chunk);
    }
    return grpc::Status::OK;
  }

  std::vector<std::string> canceled;

 private:
  std::map<std::string, int> pictures_;
};

// Made before the server that serves them.
struct Services {
  Images images_;
};

class GenerateCommandTest : protected Services, public CommandFixture {
 protected:
  GenerateCommandTest() : CommandFixture({&images_}) { std::filesystem::remove_all(directory_); }
  ~GenerateCommandTest() override { std::filesystem::remove_all(directory_); }

  // `phasor generate` into the test's directory.
  int Generate(std::vector<std::string> words) {
    words.insert(words.begin(), {"generate", "--output-dir", directory_});
    return Run(words);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(directory_)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  const std::string directory_ = ::testing::TempDir() + "/generate_command_test";
};

TEST_F(GenerateCommandTest, EachJobsPicturesAreWrittenAndNamed) {
  EXPECT_EQ(Generate({"one", "two", "--images", "2"}), kOk);
  EXPECT_THAT(Files(), SizeIs(4));
  const std::string printed = out_.str();
  EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 4);
  EXPECT_THAT(out_.str(), HasSubstr("/generate_command_test/one-7.png\n"));
  EXPECT_THAT(err_.str(), HasSubstr("1/2 denoising"));
  EXPECT_THAT(err_.str(), HasSubstr("2/2 denoising"));
  EXPECT_THAT(images_.canceled, IsEmpty());
}

TEST_F(GenerateCommandTest, ASheetHoldsAllPicturesAndReplacesTheFiles) {
  const std::string sheet = directory_ + "/sheet.png";
  EXPECT_EQ(Generate({"one", "two", "--sheet", sheet}), kOk);
  EXPECT_THAT(Files(), ElementsAre("sheet.png"));
  EXPECT_EQ(out_.str(), sheet + "\n");
  EXPECT_EQ(Generate({"one", "--sheet", sheet, "-o", directory_ + "/one.png"}), kOk);
  EXPECT_THAT(Files(), SizeIs(2));
}

TEST_F(GenerateCommandTest, OneOutputIsNotForSeveralJobs) {
  EXPECT_EQ(Generate({"one", "two", "-o", directory_ + "/x.png"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--sheet"));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(GenerateCommandTest, WhatWasSubmittedIsCancelledWhenALaterOneIsRefused) {
  EXPECT_EQ(Generate({"one", "two", "refused"}), kUsage);
  EXPECT_THAT(images_.canceled, ElementsAre("one", "two"));
  EXPECT_THAT(err_.str(), HasSubstr("not this one"));
  EXPECT_THAT(err_.str(), HasSubstr("job one was cancelled"));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(GenerateCommandTest, OneThatEndsWithoutAPictureKeepsNoneOfTheOthers) {
  EXPECT_EQ(Generate({"expires", "two"}), kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("job expires expired"));
  EXPECT_THAT(Files(), SizeIs(1));
}

TEST_F(GenerateCommandTest, WarningsGoToPeopleAndIntoTheJson) {
  EXPECT_EQ(Generate({"long"}), kOk);
  EXPECT_THAT(err_.str(), HasSubstr("phasor: the prompt was cut"));
  EXPECT_EQ(Generate({"long", "--quiet"}), kOk);
  EXPECT_THAT(err_.str(), IsEmpty());
  EXPECT_EQ(Generate({"long", "--json"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("the prompt was cut"));
  EXPECT_THAT(out_.str(), HasSubstr("/generate_command_test/long"));
  EXPECT_THAT(err_.str(), Not(HasSubstr("cut")));
}

TEST_F(GenerateCommandTest, AFileThatCanNotBeWrittenIsNamed) {
  EXPECT_NE(Generate({"one", "-o", "/proc/none/x.png"}), kOk);
  EXPECT_THAT(err_.str(), HasSubstr("/proc/none"));
}

}  // namespace
}  // namespace phasor::cli
