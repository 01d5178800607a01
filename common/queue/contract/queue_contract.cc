// The contract's fixture; the tests stand in queue_contract_*.cc, by subject.

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {

JobId TestJobId(int n) { return job::MakeJobId("secret", "contract", std::to_string(n)); }

SubmitRequest TestRequest(int n) {
  SubmitRequest request;
  request.id = TestJobId(n);
  request.model = "model-a";
  request.tenant = "tenant-a";
  request.fingerprint = "body-" + std::to_string(n);
  request.spec = std::string("spec\0\r\n\xff", 8) + std::to_string(n);
  return request;
}

void QueueContract::TearDown() { EXPECT_EQ(queue_->Violations(), std::vector<std::string>()); }

void QueueContract::MustSubmit(const SubmitRequest& request) {
  const StatusOr<SubmitReply> reply = producer().Submit(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_EQ(reply->outcome, SubmitOutcome::kAccepted);
}

std::optional<Grant> QueueContract::Take(const std::string& nonce, const std::string& node) {
  TakeRequest request;
  request.worker = "worker-of-" + node;
  request.node = node;
  request.nonce = nonce;
  request.models = {"model-a"};
  StatusOr<std::optional<Grant>> grant = consumer().Take(request);
  EXPECT_TRUE(grant.ok()) << grant.status();
  return grant.ok() ? *std::move(grant) : std::nullopt;
}

std::optional<Grant> QueueContract::TakeOf(const std::vector<std::string>& models) {
  TakeRequest request;
  request.worker = "worker";
  request.nonce = "n" + std::to_string(++nonces_);
  request.models = models;
  StatusOr<std::optional<Grant>> grant = consumer().Take(request);
  EXPECT_TRUE(grant.ok()) << grant.status();
  return grant.ok() ? *std::move(grant) : std::nullopt;
}

std::optional<Grant> QueueContract::Take() { return Take("n" + std::to_string(++nonces_)); }

Grant QueueContract::MustTake() {
  const std::optional<Grant> grant = Take();
  EXPECT_TRUE(grant.has_value());
  return grant.value_or(Grant{});
}

std::vector<Grant> QueueContract::Drain(size_t most) {
  std::vector<Grant> grants;
  while (grants.size() < most) {
    const std::optional<Grant> grant = Take();
    if (!grant) break;
    EXPECT_EQ(consumer().Complete(grant->fence, "r").value(), OwnerAnswer::kOk);
    grants.push_back(*grant);
  }
  return grants;
}

JobView QueueContract::View(const JobId& id) {
  const StatusOr<JobView> view = producer().Get(id, {});
  EXPECT_TRUE(view.ok()) << view.status();
  return view.ok() ? *view : JobView{};
}

std::vector<JobId> QueueContract::AllIds(ListRequest request) {
  std::vector<JobId> found;
  do {
    const ListReply reply = producer().List(request).value();
    for (const JobView& view : reply.jobs) found.push_back(view.id);
    request.page = reply.next_page;
  } while (!request.page.empty());
  return found;
}

void QueueContract::MustKill(const JobId& id) {
  // Jobs that were taken on the way go back in the end, so that each comes once.
  std::vector<Fence> others;
  Fence fence;
  while (fence.id != id) {
    const std::optional<Grant> grant = Take();
    ASSERT_TRUE(grant.has_value()) << id << " is not ready";
    fence = grant->fence;
    if (fence.id != id) others.push_back(fence);
  }
  Failure failure;
  failure.fence = fence;
  failure.reason = "it never works";
  failure.code = "INTERNAL";
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
  ASSERT_TRUE(maintenance().Adopt(id, State::kDead, "").ok());
  for (auto other = others.rbegin(); other != others.rend(); ++other) {
    ASSERT_EQ(consumer().Release(*other, "", 0).value(), OwnerAnswer::kOk);
  }
}

OwnerAnswer QueueContract::Renew(const Fence& fence, int64_t units, Millis stall) {
  RenewRequest request;
  request.fence = fence;
  request.units = units;
  request.stall = stall;
  return consumer().Renew(request).value();
}

void QueueContract::SubmitMany(int count, const SubmitRequest& like) {
  for (int i = 0; i < count; ++i) {
    SubmitRequest request = like;
    request.id = TestJobId(++submitted_);
    MustSubmit(request);
  }
}

void QueueContract::SubmitMany(int count, Priority priority) {
  SubmitRequest request = TestRequest(0);
  request.priority = priority;
  SubmitMany(count, request);
}

std::map<Priority, int> QueueContract::Shares(size_t takes) {
  std::map<Priority, int> shares;
  for (const Grant& grant : Drain(takes)) ++shares[grant.priority];
  return shares;
}

std::string QueueContract::Tenants(size_t takes) {
  std::string letters;
  for (const Grant& grant : Drain(takes)) letters.push_back(grant.tenant.back());
  return letters;
}

}  // namespace phasor::queue
