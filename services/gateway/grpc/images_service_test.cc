#include "services/gateway/grpc/images_service.h"

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

class ImagesServiceTest : public GatewayFixture {
 protected:
  StatusOr<v1::BatchSubmitResponse> SubmitBatch(const std::vector<v1::GenerateRequest>& requests) {
    v1::BatchSubmitRequest batch;
    for (const auto& request : requests) *batch.add_requests() = request;
    return Ask(images_.get(), &v1::Images::Stub::BatchSubmit, batch);
  }
  StatusOr<v1::Job> Redrive(const std::string& id) {
    v1::RedriveRequest request;
    request.set_job_id(id);
    return Ask(images_.get(), &v1::Images::Stub::Redrive, request);
  }
};

TEST_F(ImagesServiceTest, SubmitsAndShowsAJob) {
  const auto submitted = Submit();
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  EXPECT_EQ(submitted->request().width(), 128);
  const auto job = Get(submitted->job_id());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::QUEUED);
  EXPECT_EQ(job->request().prompt(), "a red circle");
}

TEST_F(ImagesServiceTest, WrongInputIsRefusedOverTheWireAndTheGatewayLivesOn) {
  using Change = std::function<void(v1::GenerateRequest*)>;
  const std::pair<const char*, Change> cases[] = {
      {"prompt", [](auto* r) { r->set_prompt(std::string(1 << 20, 'x')); }},
      {"width", [](auto* r) { r->set_width(7); }},
      {"steps", [](auto* r) { r->set_steps(0); }},
      {"steps", [](auto* r) { r->set_steps(100000); }},
      {"model", [](auto* r) { r->set_model("nope"); }},
      {"scheduler", [](auto* r) { r->set_scheduler("magic"); }},
      {"priority", [](auto* r) { r->set_priority(static_cast<v1::Priority>(99)); }},
      {"seed", [](auto* r) { r->set_seed(-1); }},
      {"guidance_scale",
       [](auto* r) { r->set_guidance_scale(std::numeric_limits<double>::quiet_NaN()); }},
  };
  for (const auto& [field, change] : cases) {
    v1::GenerateRequest request = DemoRequest();
    change(&request);
    const Status status = Submit(request).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    ASSERT_FALSE(rpc::FieldViolationsOf(status).empty()) << field;
    EXPECT_EQ(rpc::FieldViolationsOf(status)[0].field, field);
  }
  EXPECT_TRUE(Submit().ok());
}

TEST_F(ImagesServiceTest, AMessageThatIsTooLongIsToldByItsField) {
  v1::GenerateRequest huge = DemoRequest();
  huge.set_prompt(std::string(5 << 20, 'x'));
  const auto field = [](const Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    const auto violations = rpc::FieldViolationsOf(status);
    return violations.empty() ? "" : violations[0].field;
  };
  EXPECT_EQ(field(Submit(huge).status()), "prompt");
  EXPECT_EQ(field(SubmitBatch({huge}).status()), "requests");
  v1::GenerateRequest key = DemoRequest();
  key.set_idempotency_key(std::string(5 << 20, 'k'));
  EXPECT_EQ(field(Submit(key).status()), "idempotency_key");
  EXPECT_EQ(field(Get(std::string(5 << 20, 'i')).status()), "job_id");
  // Beyond what the transport takes its own answer is all there is.
  huge.set_prompt(std::string(17 << 20, 'x'));
  EXPECT_EQ(Submit(huge).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(Submit().ok());
}

TEST_F(ImagesServiceTest, AFullQueueTravelsWithRetryInfo) {
  ASSERT_TRUE(fleet_.queue.SetLimits({.max_jobs = 1}).ok());
  ASSERT_TRUE(Submit().ok());
  const Status status = Submit().status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(rpc::RetryAfterOf(status).has_value());
}

TEST_F(ImagesServiceTest, CancelEndsAJobOnceAndForAll) {
  const std::string id = Submit()->job_id();
  EXPECT_EQ(Cancel(id)->state(), v1::CANCELED);
  EXPECT_EQ(Cancel(id)->state(), v1::CANCELED);
  EXPECT_EQ(Cancel("x").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ImagesServiceTest, GetResultComesInChunksOfAMebibyteAtMost) {
  v1::GenerateRequest two = DemoRequest();
  two.set_images(2);
  const std::string id = Submit(two)->job_id();
  const std::string big(2'500'000, 'p');
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {big, "small"}).ok());
  const auto read = [&](std::optional<int> index, std::vector<std::string>* pictures) {
    const auto call = Call();
    v1::GetResultRequest request;
    request.set_job_id(id);
    if (index) request.set_index(*index);
    const auto reader = images_->GetResult(call.get(), request);
    v1::ResultChunk chunk;
    while (reader->Read(&chunk)) {
      if (chunk.has_image()) pictures->emplace_back();
      EXPECT_EQ(chunk.offset(), static_cast<int64_t>(pictures->back().size()));
      EXPECT_LE(chunk.data().size(), size_t{1} << 20);
      pictures->back() += chunk.data();
    }
    return rpc::FromGrpc(reader->Finish());
  };
  std::vector<std::string> pictures;
  ASSERT_TRUE(read(std::nullopt, &pictures).ok());
  EXPECT_EQ(pictures, (std::vector<std::string>{big, "small"}));
  pictures.clear();
  ASSERT_TRUE(read(1, &pictures).ok());
  EXPECT_EQ(pictures, (std::vector<std::string>{"small"}));
  EXPECT_EQ(read(2, &pictures).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(fleet_.store.Put(fleet_.store.ReadTerminal(id)->images[1].blob, "smalL").ok());
  EXPECT_EQ(read(1, &pictures).code(), StatusCode::kDataLoss);
}

TEST_F(ImagesServiceTest, EachOfABatchSucceedsOrFailsAlone) {
  v1::GenerateRequest keyed = DemoRequest();
  keyed.set_idempotency_key("k");
  v1::GenerateRequest other = keyed;
  other.set_prompt("another body");
  v1::GenerateRequest wrong = DemoRequest();
  wrong.set_width(7);
  const auto batch = SubmitBatch({keyed, wrong, keyed, other, DemoRequest()});
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->items_size(), 5);
  EXPECT_FALSE(batch->items(0).accepted().duplicate());
  EXPECT_EQ(batch->items(1).error().code(), "INVALID_ARGUMENT");
  EXPECT_THAT(batch->items(1).error().message(), HasSubstr("width"));
  EXPECT_TRUE(batch->items(2).accepted().duplicate());
  EXPECT_EQ(batch->items(2).accepted().job_id(), batch->items(0).accepted().job_id());
  EXPECT_EQ(batch->items(3).error().code(), "ALREADY_EXISTS");
  EXPECT_EQ(Get(batch->items(4).accepted().job_id())->state(), v1::QUEUED);
  EXPECT_EQ(fleet_.queue.Stats()->live, 2);
}

TEST_F(ImagesServiceTest, ABatchHasOneTo256Requests) {
  for (const size_t count : {size_t{0}, size_t{257}}) {
    const Status status = SubmitBatch(std::vector(count, DemoRequest())).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << count;
    EXPECT_EQ(rpc::FieldViolationsOf(status)[0].field, "requests");
  }
  EXPECT_EQ(fleet_.queue.Stats()->live, 0);
  EXPECT_EQ(SubmitBatch(std::vector(256, DemoRequest()))->items_size(), 256);
}

TEST_F(ImagesServiceTest, AFullQueueRefusesTheRestOfABatch) {
  ASSERT_TRUE(fleet_.queue.SetLimits({.max_jobs = 2}).ok());
  const auto batch = SubmitBatch(std::vector(3, DemoRequest()));
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE(batch->items(1).has_accepted());
  EXPECT_EQ(batch->items(2).error().code(), "RESOURCE_EXHAUSTED");
}

TEST_F(ImagesServiceTest, ADeadLetterRunsAgainAsANewJob) {
  const std::string id = Submit()->job_id();
  EXPECT_EQ(Redrive(id).status().code(), StatusCode::kFailedPrecondition);
  fleet_.Kill(fleet_.Take(), "it always fails");
  const auto again = Redrive(id);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->id(), id + "#2");
  EXPECT_EQ(again->state(), v1::QUEUED);
  EXPECT_EQ(again->request().prompt(), "a red circle");
  EXPECT_EQ(Redrive(id)->id(), id + "#2") << "a repeat names the same job";
  EXPECT_EQ(Get(id)->state(), v1::FAILED);
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  EXPECT_EQ(Get(id + "#2")->state(), v1::DONE);
}

TEST_F(ImagesServiceTest, RedriveNamesWhatIsWrong) {
  EXPECT_EQ(rpc::FieldViolationsOf(Redrive("x").status())[0].field, "job_id");
  EXPECT_EQ(Redrive(job::MakeJobId("s", "", "none")).status().code(), StatusCode::kNotFound);
  const std::string id = Submit()->job_id();
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  EXPECT_EQ(Redrive(id).status().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace phasor::gateway
