// Two tenants with many clients each, who call at random, also with each other's jobs: what they
// hear of a foreign job is what they hear of one that there never was. PHASOR_TENANTS_SECONDS=60
// makes it long.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "common/access/memory/memory_key_store.h"
#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using access::Role;
using Times = std::vector<double>;

constexpr int kClients = 20;  // of each tenant
constexpr const char* kTenants[] = {"a", "b"};

// Ids of jobs, with whose they are. Thread-safe.
class Ids {
 public:
  void Add(size_t tenant, const std::string& id) {
    MutexLock lock(&mu_);
    ids_[tenant].push_back(id);
  }
  std::string Any(size_t tenant, uint64_t draw) {
    MutexLock lock(&mu_);
    return ids_[tenant].empty() ? "" : ids_[tenant][draw % ids_[tenant].size()];
  }
  size_t count() {
    MutexLock lock(&mu_);
    return ids_[0].size() + ids_[1].size();
  }

 private:
  Mutex mu_;
  std::vector<std::string> ids_[2] GUARDED_BY(mu_);
};

class TenantsTest : public GatewayFixture {
 protected:
  // Before the keys that it reads.
  ~TenantsTest() override { gateway_.reset(); }

  void SetUp() override {
    for (size_t t = 0; t < 2; ++t) {
      const auto made = access::MakeKey(
          {.name = "", .tenant = kTenants[t], .roles = {Role::kDraw, Role::kRead}, .expires_ms = 0},
          1);
      ASSERT_TRUE(keys_.Add(made->record).ok());
      key_[t] = made->key;
    }
    Gateway::Ports ports = FleetPorts();
    ports.keys = &keys_;
    auto started = StartGateway("127.0.0.1:0", "g1", ports);
    ASSERT_TRUE(started.ok()) << started.status();
    gateway_ = std::move(*started);
    Connect();
  }

  std::unique_ptr<grpc::ClientContext> As(size_t tenant) const {
    auto call = Call();
    call->AddMetadata("authorization", "Bearer " + key_[tenant]);
    return call;
  }

  std::string SubmitAs(size_t tenant, const std::string& key = "") {
    v1::SubmitRequest request;
    *request.mutable_request() = DemoRequest();
    request.mutable_request()->set_idempotency_key(key);
    v1::SubmitResponse reply;
    EXPECT_TRUE(images_->Submit(As(tenant).get(), request, &reply).ok());
    return reply.job_id();
  }

  template <typename Message>
  static grpc::Status EndOf(std::unique_ptr<grpc::ClientReader<Message>> stream) {
    Message message;
    while (stream->Read(&message)) {
    }
    return stream->Finish();
  }

  // The end of one of the calls that take a job's id.
  static constexpr int kKinds = 5;
  grpc::Status Ask(int kind, size_t tenant, const std::string& id) {
    const auto call = As(tenant);
    v1::Job job;
    switch (kind) {
      case 0: {
        v1::GetJobRequest request;
        request.set_job_id(id);
        return images_->Get(call.get(), request, &job);
      }
      case 1: {
        v1::CancelRequest request;
        request.set_job_id(id);
        return images_->Cancel(call.get(), request, &job);
      }
      case 2: {
        v1::RedriveRequest request;
        request.set_job_id(id);
        return images_->Redrive(call.get(), request, &job);
      }
      case 3: {
        v1::GetResultRequest request;
        request.set_job_id(id);
        return EndOf(images_->GetResult(call.get(), request));
      }
      default: {
        v1::WatchRequest request;
        request.set_job_id(id);
        return EndOf(images_->Watch(call.get(), request));
      }
    }
  }

  // The ids on a page of jobs that begins at `token`.
  std::vector<std::string> ListAs(size_t tenant, const std::string& token, std::string* next) {
    v1::ListJobsRequest request;
    request.set_page_size(7);
    request.set_page_token(token);
    v1::ListJobsResponse reply;
    const grpc::Status status = images_->List(As(tenant).get(), request, &reply);
    EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
    *next = reply.next_page_token();
    std::vector<std::string> ids;
    for (const v1::Job& job : reply.jobs()) ids.push_back(job.id());
    return ids;
  }

  access::MemoryKeyStore keys_;
  std::string key_[2];
  Ids ids_;
};

std::string Text(const grpc::Status& status) {
  return std::to_string(status.error_code()) + " " + status.error_message() + " " +
         status.error_details();
}

int Seconds() {
  const char* text = std::getenv("PHASOR_TENANTS_SECONDS");
  return text == nullptr ? 2 : std::max(1, std::atoi(text));
}

TEST_F(TenantsTest, NotOneAnswerTellsAForeignJobFromNone) {
  const std::string none = job::MakeJobId("another secret", "a", "none");
  // What is said of none, by kind of call.
  std::map<int, std::string> of_none;
  for (int kind = 0; kind < kKinds; ++kind) of_none[kind] = Text(Ask(kind, 0, none));
  for (const auto& [kind, text] : of_none) EXPECT_EQ(text.substr(0, 2), "5 ") << kind;

  std::atomic<bool> stop = false;
  std::atomic<int64_t> foreign_calls = 0;
  std::atomic<int64_t> told = 0;
  std::vector<std::jthread> threads;
  // Workers, so that there are jobs of every state: drawn, failed for good, waiting.
  threads.emplace_back([&] {
    for (uint64_t n = 0; !stop; ++n) {
      const queue::Grant grant = fleet_.Take();
      if (grant.fence.id.empty()) {
        std::this_thread::sleep_for(Millis(1));
      } else if (n % 3 == 0) {
        fleet_.Kill(grant, "for the test");
      } else {
        (void)fleet_.Finish(grant, {"a picture"});
      }
    }
  });
  for (size_t client = 0; client < 2 * kClients; ++client) {
    threads.emplace_back([&, client] {
      const size_t mine = client % 2;
      std::mt19937_64 random(client);
      std::string token;
      while (!stop) {
        const uint64_t draw = random();
        if (draw % 4 == 0) {
          ids_.Add(mine, SubmitAs(mine, draw % 8 == 0 ? std::to_string(draw % 97) : ""));
          continue;
        }
        if (draw % 4 == 1) {
          // From a page of its own, from another's, or from a number out of nowhere.
          const std::string forged = draw % 3 == 0 ? token : std::to_string(random() % 5000);
          for (const std::string& id : ListAs(mine, forged, &token)) {
            const auto job = fleet_.queue.Get(id, job::Operator());
            if (job.ok() && job->tenant != kTenants[mine]) ++told;
          }
          continue;
        }
        const std::string id = ids_.Any(1 - mine, random());
        if (id.empty()) continue;
        const int kind = static_cast<int>(random() % kKinds);
        ++foreign_calls;
        const std::string answer = Text(Ask(kind, mine, id));
        if (answer != of_none.at(kind)) {
          ++told;
          ADD_FAILURE() << "kind " << kind << ": " << answer;
        }
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(Seconds()));
  stop = true;
  threads.clear();
  EXPECT_EQ(told, 0);
  EXPECT_GT(foreign_calls, 100);
  RecordProperty("foreign_calls", std::to_string(foreign_calls));
  RecordProperty("jobs", std::to_string(ids_.count()));
  std::printf("%s foreign calls, %zu jobs\n", std::to_string(foreign_calls).c_str(), ids_.count());
  // A tenant's own jobs were there all the while.
  for (size_t tenant = 0; tenant < 2; ++tenant) {
    const std::string id = ids_.Any(tenant, 0);
    EXPECT_TRUE(Ask(0, tenant, id).ok());
  }
}

TEST_F(TenantsTest, PagesGoOnForTheirTenantAlone) {
  for (int i = 0; i < 9; ++i) SubmitAs(0);
  std::string token;
  EXPECT_EQ(ListAs(0, "", &token).size(), 7u);
  ASSERT_FALSE(token.empty());
  std::string next;
  EXPECT_TRUE(ListAs(1, token, &next).empty());
  EXPECT_EQ(ListAs(0, token, &next).size(), 2u);
  EXPECT_TRUE(next.empty());
}

// Row 32 of the fault table with real tenants.
TEST_F(TenantsTest, AFloodByOneLeavesTheOthersWaitAsItWas) {
  for (int i = 0; i < 200; ++i) SubmitAs(0);
  std::vector<std::string> light;
  for (int i = 0; i < 5; ++i) light.push_back(SubmitAs(1));
  int taken = 0;
  for (size_t left = light.size(); left > 0; ++taken) {
    const queue::Grant grant = fleet_.Take();
    ASSERT_FALSE(grant.fence.id.empty());
    if (grant.tenant == kTenants[1]) --left;
    (void)fleet_.Finish(grant, {});
  }
  EXPECT_LE(taken, 11) << "they take turns";
}

// The median tells what a clock would tell: a foreign job, an ended foreign job and none take the
// same way. The bound is wide, for a busy machine; a look into queue and store takes longer.
TEST_F(TenantsTest, AForeignJobTakesAsLongAsNone) {
  const std::string waiting = SubmitAs(0);
  const std::string ended = SubmitAs(0);
  (void)fleet_.Finish(fleet_.Take(), {"x"});
  (void)ended;
  std::vector<std::string> ids = {waiting, ended};
  for (int i = 0; i < 2; ++i) {
    ids.push_back(job::MakeJobId("another secret", "a", std::to_string(i)));
  }
  std::map<std::string, Times> times;
  for (int round = 0; round < 300; ++round) {
    for (const std::string& id : ids) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(Ask(0, 1, id).error_code(), grpc::StatusCode::NOT_FOUND);
      times[id].push_back(SecondsBetween(begin, std::chrono::steady_clock::now()));
    }
  }
  const auto median = [&](const std::string& id) {
    Times& all = times[id];
    std::nth_element(all.begin(), all.begin() + all.size() / 2, all.end());
    return all[all.size() / 2];
  };
  const double none = (median(ids[2]) + median(ids[3])) / 2;
  std::printf("none %.0f us, waiting %.0f us, ended %.0f us\n", 1e6 * none, 1e6 * median(ids[0]),
              1e6 * median(ids[1]));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_LT(median(ids[i]), 1.4 * none);
    EXPECT_GT(median(ids[i]), none / 1.4);
  }
}

}  // namespace
}  // namespace phasor::gateway
