// The commands about jobs and models, against a gateway that has one of each.
#include "services/cli/commands/job_commands.h"

#include <filesystem>
#include <string>
#include <vector>

#include <grpcpp/server_context.h>

#include "common/base/file.h"
#include "common/base/hash.h"
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

constexpr char kPicture[] = "png";

class Images final : public v1::Images::Service {
 public:
  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override {
    const Turn turn;
    submitted.push_back(request->request());
    if (full) return {grpc::RESOURCE_EXHAUSTED, "the queue is full"};
    response->set_job_id("job-" + std::to_string(submitted.size()));
    return grpc::Status::OK;
  }
  grpc::Status Get(grpc::ServerContext*, const v1::GetJobRequest* request,
                   v1::Job* response) override {
    const Turn turn;
    if (request->job_id() == "none") return {grpc::NOT_FOUND, "there is no such job"};
    *response = Ended(request->job_id());
    return grpc::Status::OK;
  }
  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchEvent>* stream) override {
    const Turn turn;
    v1::WatchEvent event;
    event.mutable_job()->set_id(request->job_id());
    event.mutable_job()->set_state(v1::DIFFUSION_RUNNING);
    stream->Write(event);
    *event.mutable_job() = Ended(request->job_id());
    stream->Write(event);
    return grpc::Status::OK;
  }
  grpc::Status Cancel(grpc::ServerContext*, const v1::CancelRequest* request,
                      v1::Job* response) override {
    response->set_id(request->job_id());
    response->set_state(request->job_id() == "late" ? v1::DONE : v1::CANCELED);
    return grpc::Status::OK;
  }
  grpc::Status List(grpc::ServerContext*, const v1::ListJobsRequest* request,
                    v1::ListJobsResponse* response) override {
    const Turn turn;
    listed.push_back(request->ShortDebugString());
    response->add_jobs()->set_id("job");
    if (request->page_token().empty()) response->set_next_page_token("more");
    return grpc::Status::OK;
  }
  grpc::Status GetResult(grpc::ServerContext*, const v1::GetResultRequest*,
                         grpc::ServerWriter<v1::ResultChunk>* stream) override {
    v1::ResultChunk chunk;
    chunk.mutable_image()->set_size_bytes(static_cast<int64_t>(sizeof(kPicture) - 1));
    chunk.mutable_image()->set_sha256(Sha256Hex(kPicture));
    chunk.set_data(kPicture);
    stream->Write(chunk);
    return grpc::Status::OK;
  }

  v1::Job Ended(const std::string& id) const {
    v1::Job job;
    job.set_id(id);
    job.set_state(end);
    if (end == v1::FAILED) job.mutable_error()->set_message("it failed");
    return job;
  }

  v1::JobState end = v1::DONE;
  bool full = false;
  std::vector<v1::GenerateRequest> submitted;
  std::vector<std::string> listed;
};

class Models final : public v1::Models::Service {
 public:
  grpc::Status List(grpc::ServerContext*, const v1::ListModelsRequest*,
                    v1::ListModelsResponse* response) override {
    response->add_models()->set_name("one");
    response->add_models()->set_name("two");
    response->add_left_out("three: phasor.yaml: unknown key nmae");
    return grpc::Status::OK;
  }
  grpc::Status Get(grpc::ServerContext*, const v1::GetModelRequest* request,
                   v1::Model* response) override {
    if (request->name() != "one") return {grpc::NOT_FOUND, "there are: one, two"};
    response->set_name("one");
    v1::Parameter* const steps = response->add_parameters();
    steps->set_name("steps");
    steps->set_default_value("20");
    steps->set_low(1);
    steps->set_high(150);
    steps->set_description("denoising steps");
    return grpc::Status::OK;
  }
};

// Made before the server that serves them.
struct Services {
  Images images_;
  Models models_;
};

class JobCommandsTest : protected Services, public CommandFixture {
 protected:
  JobCommandsTest() : CommandFixture({&images_, &models_}) {
    std::filesystem::create_directories(folder_);
  }
  ~JobCommandsTest() override { std::filesystem::remove_all(folder_); }

  const std::string folder_ = ::testing::TempDir() + "/job_commands_test";
};

TEST_F(JobCommandsTest, SubmitMakesAKeyOfItsOwnForEachPrompt) {
  EXPECT_EQ(Run({"submit", "a", "b", "--key", "k"}), kOk);
  EXPECT_EQ(out_.str(), "job-1\njob-2\n");
  EXPECT_EQ(images_.submitted[0].idempotency_key(), "k-1");
  EXPECT_EQ(images_.submitted[1].idempotency_key(), "k-2");
  EXPECT_EQ(Run({"submit", "c"}), kOk);
  EXPECT_THAT(images_.submitted[2].idempotency_key(), Not(IsEmpty()));
}

TEST_F(JobCommandsTest, AFullQueueHasAnExitCodeOfItsOwn) {
  images_.full = true;
  EXPECT_EQ(Run({"submit", "a", "--json"}), kRefused);
  EXPECT_THAT(out_.str(), HasSubstr("RESOURCE_EXHAUSTED"));
  EXPECT_EQ(images_.submitted.size(), 1u) << "a refusal is not repeated";
}

TEST_F(JobCommandsTest, GenerateWritesThePictureWhereItIsWanted) {
  const std::string file = folder_ + "/circle.png";
  EXPECT_EQ(Run({"generate", "a", "-o", file}), kOk);
  EXPECT_EQ(out_.str(), file + "\n");
  EXPECT_EQ(*ReadFile(file, 100), kPicture);
  EXPECT_EQ(Run({"generate", "a", "b", "-o", file}), kUsage) << "one name, two jobs";
}

TEST_F(JobCommandsTest, TheWayAJobEndsIsTheExitCode) {
  struct Case {
    v1::JobState end;
    int code;
  };
  for (const Case& one : {Case{v1::DONE, kOk}, Case{v1::FAILED, kFailed},
                          Case{v1::EXPIRED, kFailed}, Case{v1::CANCELED, kCanceled}}) {
    images_.end = one.end;
    EXPECT_EQ(Run({"watch", "job", "-q"}), one.code) << one.end;
    if (one.end == v1::DONE) continue;
    EXPECT_EQ(Run({"generate", "a", "-q"}), one.code) << one.end;
  }
  images_.end = v1::FAILED;
  Run({"watch", "job"});
  EXPECT_EQ(out_.str(), "job job failed: it failed\n");
}

TEST_F(JobCommandsTest, WatchGivesEveryEventToPrograms) {
  EXPECT_EQ(Run({"watch", "job", "--json"}), kOk);
  const std::string lines = out_.str();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_THAT(lines, HasSubstr("DIFFUSION_RUNNING"));
}

TEST_F(JobCommandsTest, GetShowsAJobOrFetchesIt) {
  EXPECT_EQ(Run({"get", "job"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("state     done"));
  EXPECT_EQ(Run({"get", "none"}), kNotFound);
  const std::string file = folder_ + "/got.png";
  EXPECT_EQ(Run({"get", "job", "-o", file, "--json"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\"files\":[\"" + file + "\"]"));
  EXPECT_EQ(*ReadFile(file, 100), kPicture);
}

TEST_F(JobCommandsTest, ACancelThatCameTooLateIsAFailure) {
  EXPECT_EQ(Run({"cancel", "a"}), kOk);
  EXPECT_EQ(out_.str(), "job a was cancelled\n");
  EXPECT_EQ(Run({"cancel", "a", "late"}), kFailed);
}

TEST_F(JobCommandsTest, JobsGoesThroughThePagesUpToItsLimit) {
  EXPECT_EQ(Run({"jobs", "--state", "failed", "--model", "m", "--limit", "2"}), kOk);
  EXPECT_THAT(images_.listed,
              ElementsAre("model: \"m\" states: FAILED page_size: 2",
                          "model: \"m\" states: FAILED page_size: 1 page_token: \"more\""));
  EXPECT_EQ(Run({"jobs", "--state", "lost"}), kUsage);
  EXPECT_EQ(Run({"jobs", "--limit", "0"}), kUsage);
}

TEST_F(JobCommandsTest, ModelsAreListedOrOneShown) {
  EXPECT_EQ(Run({"models", "--json"}), kOk);
  EXPECT_EQ(out_.str(), "{\"name\":\"one\"}\n{\"name\":\"two\"}\n");
  EXPECT_EQ(Run({"models", "one"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("steps             20, 1 to 150: denoising steps"));
  EXPECT_EQ(Run({"models"}), kOk);
  EXPECT_THAT(err_.str(), HasSubstr("a model is left out: three: phasor.yaml"));
  EXPECT_THAT(out_.str(), HasSubstr("one  ("));
  EXPECT_EQ(Run({"models", "three"}), kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("there are: one, two"));
}

}  // namespace
}  // namespace phasor::cli
