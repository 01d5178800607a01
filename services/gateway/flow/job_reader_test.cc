#include "services/gateway/flow/job_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rpc/spec_convert.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

const job::JobId kId = job::MakeJobId("secret", "", "key");

class JobReaderTest : public testing::Test {
 protected:
  job::JobId Submit(const std::string& key) {
    job::GenerateSpec spec;
    spec.model = "demo";
    spec.picture.steps = 20;
    queue::SubmitRequest request;
    request.id = job::MakeJobId("secret", "", key);
    request.model = "demo";
    request.spec = rpc::EncodeJobSpec({spec, ""});
    EXPECT_TRUE(fleet_.queue.Submit(request).ok());
    return request.id;
  }

  MemoryFleet fleet_;
  JobReader reader_{&fleet_.queue, &fleet_.store};
};

TEST_F(JobReaderTest, AQueuedJobShowsItsPlaceAndItsRequest) {
  Submit("a");
  const auto job = reader_.Get(Submit("b"), {});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::QUEUED);
  EXPECT_EQ(job->queue_position(), 1);
  EXPECT_EQ(job->steps(), 20);
  EXPECT_EQ(job->request().model(), "demo");
  EXPECT_EQ(job->created_ms(), fleet_.clock.WallMillis());
  EXPECT_FALSE(job->has_result());
}

TEST_F(JobReaderTest, ADoneJobShowsItsResultWithoutData) {
  const job::JobId id = Submit("a");
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png one", "png two"}).ok());
  auto job = reader_.Get(id, {});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::DONE);
  EXPECT_EQ(job->step(), 20);
  EXPECT_EQ(job->result().attempts(), 1);
  ASSERT_EQ(job->result().images_size(), 2);
  EXPECT_EQ(job->result().images(1).sha256(), Sha256Hex("png two"));
  EXPECT_TRUE(job->result().images(0).data().empty());
}

TEST_F(JobReaderTest, TheRecordWinsOverTheQueue) {
  const job::JobId id = Submit("a");
  ASSERT_TRUE(fleet_.store.CreateTerminal(Ended(id, job::State::kCanceled, "CANCELLED")).ok());
  EXPECT_EQ(reader_.Get(id, {})->state(), v1::CANCELED);
  EXPECT_EQ(reader_.Get(id, {})->error().code(), "CANCELLED");
  EXPECT_EQ(reader_.Get(id, {})->queue_position(), -1);
}

TEST_F(JobReaderTest, TheRecordAnswersAloneForAForgottenJob) {
  storage::TerminalRecord record = Ended(kId, job::State::kDead, "WORKER_LOST", "worker lost");
  record.model = "demo";
  record.accepted_ms = 3;
  ASSERT_TRUE(fleet_.store.CreateTerminal(record).ok());
  const auto job = reader_.Get(kId, {});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::FAILED);
  EXPECT_EQ(job->error().message(), "worker lost");
  EXPECT_EQ(job->finished_ms(), 5);
  EXPECT_EQ(job->model(), "demo");
  EXPECT_EQ(job->created_ms(), 3);
}

TEST_F(JobReaderTest, UnknownAndMalformedIdsAreToldApart) {
  EXPECT_EQ(reader_.Get(kId, {}).status().code(), StatusCode::kNotFound);
  for (const char* id : {"", "../../etc/passwd", "x"}) {
    EXPECT_EQ(reader_.Get(id, {}).status().code(), StatusCode::kInvalidArgument) << id;
  }
}

TEST_F(JobReaderTest, ADamagedPictureIsDataLossAndOneThatIsGoneIsNotFound) {
  const job::JobId id = Submit("a");
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  const storage::ResultImage image = reader_.FinishedRecord(id, {})->images[0];
  ASSERT_TRUE(fleet_.store.Put(image.blob, "pnG").ok());
  EXPECT_EQ(reader_.Picture(image).status().code(), StatusCode::kDataLoss);
  ASSERT_TRUE(fleet_.store.Delete(image.blob).ok());
  EXPECT_EQ(reader_.Picture(image).status().code(), StatusCode::kNotFound);
}

TEST_F(JobReaderTest, AJobWithoutAPictureIsAFailedPrecondition) {
  const job::JobId id = Submit("a");
  EXPECT_EQ(reader_.FinishedRecord(id, {}).status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(fleet_.store.CreateTerminal(Ended(id, job::State::kCanceled)).ok());
  EXPECT_EQ(reader_.FinishedRecord(id, {}).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(JobReaderTest, AJobThatIsDoneWithoutItsRecordHasEndedAllTheSame) {
  const job::JobId done = Submit("a");
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  ASSERT_TRUE(fleet_.store.Delete(storage::TerminalKey(done)).ok());
  const Status lost = reader_.FinishedRecord(done, {}).status();
  EXPECT_EQ(lost.code(), StatusCode::kNotFound);
  EXPECT_THAT(Message(lost), testing::HasSubstr("DONE"));
  const job::JobId dead = Submit("b");
  fleet_.Kill(fleet_.Take(), "broken");
  ASSERT_TRUE(fleet_.store.Delete(storage::TerminalKey(dead)).ok());
  const Status without = reader_.FinishedRecord(dead, {}).status();
  EXPECT_EQ(without.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(without), testing::HasSubstr("DEAD"));
}

TEST_F(JobReaderTest, WhatIsWrongInTheStoreIsNeverTheCallersMistake) {
  const job::JobId id = Submit("a");
  FaultyStore store(&fleet_.store);
  JobReader reader(&fleet_.queue, &store);
  store.fault.Set(InvalidArgument("/srv/store/jobs is no folder"));
  EXPECT_EQ(reader.Get(id, {}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(reader.Picture({.blob = "jobs/x", .sha256 = ""}).status().code(),
            StatusCode::kUnavailable);
  store.fault.Set(DataLoss("/srv/store/jobs/x/terminal belongs to job y"));
  EXPECT_EQ(reader.Get(id, {}).status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(Message(reader.Get(id, {}).status()), testing::Not(testing::HasSubstr("/srv")));
}

TEST_F(JobReaderTest, ListFiltersByWhatTheClientSees) {
  Submit("a");
  Submit("b");
  const queue::Grant grant = fleet_.Take();
  v1::ListJobsRequest request;
  request.add_states(v1::QUEUED);
  ASSERT_EQ(reader_.List(request, {})->jobs_size(), 1);
  EXPECT_NE(reader_.List(request, {})->jobs(0).id(), grant.fence.id);
  request.clear_states();
  request.add_states(v1::INITIALIZING);
  ASSERT_EQ(reader_.List(request, {})->jobs_size(), 1);
  EXPECT_EQ(reader_.List(request, {})->jobs(0).id(), grant.fence.id);
  request.clear_states();
  request.add_states(v1::DIFFUSION_RUNNING);
  EXPECT_EQ(reader_.List(request, {})->jobs_size(), 0);
}

TEST_F(JobReaderTest, ListPagesAndRefusesWhatMakesNoSense) {
  for (const char* key : {"a", "b", "c"}) Submit(key);
  v1::ListJobsRequest request;
  request.set_page_size(2);
  const auto first = reader_.List(request, {});
  ASSERT_EQ(first->jobs_size(), 2);
  request.set_page_token(first->next_page_token());
  EXPECT_EQ(reader_.List(request, {})->jobs_size(), 1);
  request.set_page_size(1001);
  EXPECT_EQ(reader_.List(request, {}).status().code(), StatusCode::kInvalidArgument);
  request.set_page_size(1);
  request.add_states(static_cast<v1::JobState>(99));
  EXPECT_EQ(reader_.List(request, {}).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::gateway
