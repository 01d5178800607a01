// The commands of those who run a fleet, against a gateway that writes down what it is asked.
#include "services/cli/commands/admin_commands.h"

#include <atomic>
#include <string>
#include <vector>

#include <grpcpp/server_context.h>

#include "common/metrics/admin_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/command_fixture.h"
#include "services/cli/turn.h"

namespace phasor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Admin final : public v1::Admin::Service {
 public:
  grpc::Status Pause(grpc::ServerContext*, const v1::PauseRequest*, v1::PauseResponse*) override {
    const Turn turn;
    asked.push_back("pause");
    return grpc::Status::OK;
  }
  grpc::Status Resume(grpc::ServerContext*, const v1::ResumeRequest*,
                      v1::ResumeResponse*) override {
    const Turn turn;
    asked.push_back("resume");
    return grpc::Status::OK;
  }
  grpc::Status SetLimits(grpc::ServerContext*, const v1::SetLimitsRequest* request,
                         v1::SetLimitsResponse* response) override {
    const Turn turn;
    asked.push_back(request->ShortDebugString());
    response->mutable_queue()->set_max_jobs(4711);
    return grpc::Status::OK;
  }
  grpc::Status Cleanup(grpc::ServerContext*, const v1::CleanupRequest* request,
                       v1::CleanupResponse* response) override {
    const Turn turn;
    if (request->worker() == "w1") {
      response->set_freed_bytes(3 << 20);
      return grpc::Status::OK;
    }
    if (!request->worker().empty()) return {grpc::NOT_FOUND, "known are: w1"};
    response->mutable_store()->set_looked(9);
    response->mutable_store()->set_orphans(2);
    response->mutable_store()->set_unreadable(unreadable);
    return grpc::Status::OK;
  }
  // Two pages: the first holds one job.
  grpc::Status DeadLetters(grpc::ServerContext*, const v1::DeadLettersRequest* request,
                           v1::DeadLettersResponse* response) override {
    const bool first = request->page_token().empty();
    response->add_jobs()->set_id(first ? "one" : "two");
    response->mutable_jobs(0)->mutable_error()->set_message("it failed");
    if (first) response->set_next_page_token("2");
    return grpc::Status::OK;
  }
  grpc::Status Stats(grpc::ServerContext*, const v1::StatsRequest*,
                     v1::StatsResponse* response) override {
    response->add_workers()->set_name("w1");
    response->mutable_workers(0)->set_state("busy");
    return grpc::Status::OK;
  }
  grpc::Status Drain(grpc::ServerContext*, const v1::DrainRequest* request,
                     v1::DrainResponse*) override {
    const Turn turn;
    if (request->worker() != "w1") return {grpc::NOT_FOUND, "known are: w1"};
    asked.push_back("drain");
    return grpc::Status::OK;
  }
  grpc::Status Migrate(grpc::ServerContext*, const v1::MigrateRequest* request,
                       v1::MigrateResponse* response) override {
    if (request->worker() != "w1") return {grpc::NOT_FOUND, "known are: w1"};
    response->set_job_id("job");
    return grpc::Status::OK;
  }

  std::vector<std::string> asked;
  int unreadable = 0;
};

class Images final : public v1::Images::Service {
  grpc::Status Redrive(grpc::ServerContext*, const v1::RedriveRequest* request,
                       v1::Job* job) override {
    if (request->job_id() == "done") return {grpc::FAILED_PRECONDITION, "only a dead letter"};
    job->set_id(request->job_id() + "#2");
    return grpc::Status::OK;
  }
};

// Made before the server that serves them.
struct Services {
  Admin admin_;
  Images images_;
};

class AdminCommandsTest : protected Services, public CommandFixture {
 protected:
  AdminCommandsTest() : CommandFixture({&admin_, &images_}) {}
};

TEST_F(AdminCommandsTest, PauseAndResumeSayWhatHolds) {
  EXPECT_EQ(Run({"pause"}), kOk);
  EXPECT_EQ(out_.str(), "paused\n");
  EXPECT_EQ(Run({"resume", "--json"}), kOk);
  EXPECT_EQ(out_.str(), "{}\n");
  EXPECT_THAT(admin_.asked, ElementsAre("pause", "resume"));
}

TEST_F(AdminCommandsTest, LimitsSendsWhatIsGivenAndShowsWhatStands) {
  EXPECT_EQ(Run({"limits"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("max jobs         4711\n"));
  EXPECT_EQ(Run({"limits", "--max-tries", "7", "--preempt-after", "1.5", "--json"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\"max_jobs\":\"4711\""));
  EXPECT_EQ(Run({"limits", "--tenant", "", "--weight", "3"}), kOk);
  EXPECT_THAT(admin_.asked,
              ElementsAre("queue { }", "queue { max_tries: 7 preempt_after_seconds: 1.5 }",
                          "queue { } tenant { weight: 3 }"));
}

TEST_F(AdminCommandsTest, CleanupSaysWhatWent) {
  EXPECT_EQ(Run({"cleanup"}), kOk);
  EXPECT_EQ(out_.str(),
            "looked at 9 objects; deleted 2 orphans, 0 checkpoints, 0 results, 0 records\n");
  EXPECT_EQ(Run({"cleanup", "--worker", "w1"}), kOk);
  EXPECT_EQ(out_.str(), "w1 freed 3MiB\n");
  EXPECT_EQ(Run({"cleanup", "--worker", "w9"}), kNotFound);
  EXPECT_EQ(Run({"cleanup", "--json"}), kOk);
  EXPECT_EQ(out_.str(), "{\"store\":{\"looked\":\"9\",\"orphans\":\"2\"}}\n");
  admin_.unreadable = 1;
  EXPECT_EQ(Run({"cleanup"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("left alone: 1 jobs"));
}

TEST_F(AdminCommandsTest, ATenantsLimitNeedsTheTenant) {
  EXPECT_EQ(Run({"limits", "--weight", "3"}), kUsage);
  EXPECT_EQ(Run({"limits", "--pixel-steps", "3"}), kUsage);
  EXPECT_EQ(Run({"limits", "--max-jobs", "many"}), kUsage);
  EXPECT_THAT(admin_.asked, IsEmpty());
}

TEST_F(AdminCommandsTest, DeadLettersAreListedPageByPageUpToTheLimit) {
  EXPECT_EQ(Run({"dead"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("it failed"));
  EXPECT_THAT(out_.str(), HasSubstr("two"));
  EXPECT_EQ(Run({"dead", "--limit", "1", "--json"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\"one\""));
  EXPECT_EQ(out_.str().find("\"two\""), std::string::npos);
}

TEST_F(AdminCommandsTest, RedriveTakesIdsOrAllAndPrintsTheNewOnes) {
  EXPECT_EQ(Run({"redrive", "a", "done", "b"}), kFailed);
  EXPECT_EQ(out_.str(), "a#2\nb#2\n") << "one that can't be redriven keeps none of the others";
  EXPECT_THAT(err_.str(), HasSubstr("done: only a dead letter"));
  EXPECT_EQ(Run({"redrive", "--all"}), kOk);
  EXPECT_EQ(out_.str(), "one#2\ntwo#2\n");
  EXPECT_EQ(Run({"redrive"}), kUsage);
  EXPECT_EQ(Run({"redrive", "--all", "a"}), kUsage);
}

TEST_F(AdminCommandsTest, WorkersAreListedDrainedAndRelievedOfTheirJob) {
  EXPECT_EQ(Run({"worker", "list"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("w1 on"));
  EXPECT_EQ(Run({"worker", "list", "--json"}), kOk);
  EXPECT_EQ(out_.str(), "{\"name\":\"w1\",\"state\":\"busy\"}\n");
  EXPECT_EQ(Run({"worker", "drain", "w1"}), kOk);
  EXPECT_EQ(out_.str(), "w1 takes no further job\n");
  EXPECT_EQ(Run({"worker", "migrate", "w1"}), kOk);
  EXPECT_EQ(out_.str(), "job\n");
  EXPECT_EQ(Run({"worker", "migrate", "w9"}), kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("known are: w1"));
  EXPECT_EQ(Run({"worker"}), kUsage);
}

TEST_F(AdminCommandsTest, ProbeSaysByItsExitCodeWhetherAProcessIsReady) {
  metrics::Registry registry;
  std::atomic<bool> ready = true;
  const SystemClock clock;
  const auto answer = [&] { return ready ? OkStatus() : Unavailable("Redis does not answer"); };
  const auto server =
      *metrics::AdminServer::Start({.address = "127.0.0.1:0"}, &registry, answer, &clock);
  const std::string target = "127.0.0.1:" + std::to_string(server->port());
  EXPECT_EQ(Run({"probe", target}), kOk);
  EXPECT_EQ(out_.str(), "ready\n");
  ready = false;
  EXPECT_EQ(Run({"probe", target}), kFailed);
  EXPECT_EQ(err_.str(), "Redis does not answer\n");
  EXPECT_EQ(Run({"probe", target + "/healthz"}), kOk);
  EXPECT_EQ(Run({"probe", "127.0.0.1:1"}), kUnreachable);
  EXPECT_EQ(Run({"probe", "nowhere"}), kUsage);
}

}  // namespace
}  // namespace phasor::cli
