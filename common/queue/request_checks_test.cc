#include "common/queue/request_checks.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/queue/queue_contract.h"

namespace phasor::queue {
namespace {

TEST(RequestChecksTest, NamesTheFieldOfAMalformedSubmit) {
  const std::vector<std::pair<std::string, std::function<void(SubmitRequest&)>>> cases = {
      {"id", [](SubmitRequest& r) { r.id = "../../etc"; }},
      {"model", [](SubmitRequest& r) { r.model.assign(257, 'm'); }},
      {"tenant", [](SubmitRequest& r) { r.tenant.assign(257, 't'); }},
      {"spec", [](SubmitRequest& r) { r.spec.assign((1 << 20) + 1, 's'); }},
      {"cost", [](SubmitRequest& r) { r.cost = -1; }},
      {"keep", [](SubmitRequest& r) { r.keep = Millis(0); }},
      {"deadline_ms", [](SubmitRequest& r) { r.deadline_ms = -5; }},
  };
  EXPECT_TRUE(CheckSubmit(TestRequest(1)).ok());
  for (const auto& [field, spoil] : cases) {
    SubmitRequest request = TestRequest(1);
    spoil(request);
    const Status status = CheckSubmit(request);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    EXPECT_EQ(Message(status).find(field), 0u) << status;
  }
}

TEST(RequestChecksTest, ANonceHasAFixedAlphabet) {
  Fence fence{TestJobId(1), 1, "abc-DEF_9"};
  EXPECT_TRUE(CheckFence(fence).ok());
  for (const std::string nonce : {"", "a b", "a/b", "a\n", "é"}) {
    fence.nonce = nonce;
    EXPECT_FALSE(CheckFence(fence).ok()) << nonce;
  }
  fence.nonce.assign(65, 'a');
  EXPECT_FALSE(CheckFence(fence).ok());
}

TEST(RequestChecksTest, LimitsMustLeaveRoomForOneTry) {
  QueueLimits limits;
  EXPECT_TRUE(CheckLimits(limits).ok());
  limits.max_tries = 0;
  EXPECT_FALSE(CheckLimits(limits).ok());
}

}  // namespace
}  // namespace phasor::queue
