// How long each script keeps Redis from everybody else, with 100,000 jobs of 50,000 tenants and 200
// models: work that grows with any of them shows here. Measured is the processor time of Redis's
// main thread, which other processes of the machine do not lengthen as they do a clock's, and the
// number of commands that a script calls, which nothing changes. Each script runs in several
// rounds, and the quietest of them counts; the audit, which takes longest, once more only if need
// be.

#include <algorithm>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "common/queue/redis/redis_queue.h"
#include "common/testing/redis_server.h"

namespace phasor::queue {
namespace {

constexpr int kModels = 200;
constexpr int kTenants = 50'000;
// The jobs: some of many models, classes and tenants each; as many of one model and class and a
// tenant each; the rest of one tenant.
constexpr int kSpread = 40'000;
constexpr int kOfManyTenants = 40'000;
constexpr int kJobs = 100'000;
constexpr int kParked = 15'000;  // tenants

constexpr double kMostMillis = 10;
constexpr int64_t kMostCommands = 2'500;
constexpr int kRounds = 2;

struct Spent {
  double micros = 0;
  int64_t runs = 0;      // of scripts
  int64_t commands = 0;  // that these called
};

double NumberBehind(const std::string& text, const std::string& name) {
  const size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::atof(text.c_str() + at + name.size());
}

class ScaleTest : public testing::Test {
 protected:
  ScaleTest() {
    options_.address = ParseRedisUrl(server_.url()).value();
    options_.command_timeout = std::chrono::seconds(20);
    connection_ = RedisConnection::Connect(options_).value();
    queue_ = std::make_unique<RedisQueue>(options_);
  }

  RedisQueue& queue() { return *queue_; }

  // A command on a connection beside the queue's.
  RedisReply Call(const std::vector<std::string>& words) {
    return connection_->Call({words.begin(), words.end()}).value();
  }

  static JobId Id(int n) { return job::MakeJobId("secret", "scale", std::to_string(n)); }
  static std::string Model(int n) { return "model-" + std::to_string(n % kModels); }

  SubmitRequest Request(int n) {
    SubmitRequest request;
    request.id = Id(n);
    request.fingerprint = "body";
    request.spec = std::string(200, 's');
    if (n < kSpread) {
      request.model = Model(n);
      request.priority = static_cast<Priority>(n / kModels % 4);
      request.tenant = "tenant-" + std::to_string(n % (kTenants - kOfManyTenants));
    } else if (n < kSpread + kOfManyTenants) {
      request.model = Model(0);
      request.tenant = "tenant-" + std::to_string(kTenants - kOfManyTenants + n - kSpread);
    } else {
      request.model = Model(1);
      request.tenant = "tenant-0";
    }
    if (n % 20 == 0) request.deadline_in = Millis(3'600'000);
    return request;
  }

  void Submit(int first, int count) {
    std::vector<SubmitRequest> requests;
    for (int n = first; n < first + count; ++n) requests.push_back(Request(n));
    for (const auto& reply : queue().SubmitAll(requests)) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      ASSERT_EQ(reply->outcome, SubmitOutcome::kAccepted);
    }
  }

  TakeRequest TakeOf(int first_model, int models) {
    TakeRequest take;
    take.worker = "worker";
    take.node = "node-" + std::to_string(++nonces_ % 2);
    take.nonce = "n" + std::to_string(nonces_);
    for (int n = 0; n < models; ++n) take.models.push_back(Model(first_model + n));
    return take;
  }

  Grant MustTake(int first_model, int models) {
    const std::optional<Grant> grant = queue().Take(TakeOf(first_model, models)).value();
    EXPECT_TRUE(grant.has_value());
    return grant.value_or(Grant{});
  }

  // Jobs in every state, and tenants that may have nothing run.
  void Fill() {
    QueueLimits limits;
    limits.max_jobs = limits.max_per_tenant = limits.max_ended = 10 * kJobs;
    ASSERT_TRUE(queue().SetLimits(limits).ok());
    for (int n = 0; n < kJobs; n += 1'000) Submit(n, 1'000);
    for (int n = 0; n < 600; ++n) {
      const Grant grant = MustTake(n % 190 + 2, 8);
      Failure failure;
      failure.fence = grant.fence;
      failure.retryable = n % 2 == 0;
      failure.delay = Millis(3'000'000);
      if (n >= 200) continue;
      ASSERT_TRUE(queue().Fail(failure).ok());
    }
    for (int n = 0; n < 2'000; ++n) ASSERT_TRUE(queue().Cancel(Id(n * 3), {}).ok());
    std::vector<std::string> words = {"HSET", "{phasor}:tl"};
    for (int n = kTenants - kOfManyTenants; n < kTenants - kOfManyTenants + kParked; ++n) {
      words.push_back("tenant-" + std::to_string(n) + ":r");
      words.emplace_back("0");
    }
    ASSERT_EQ(Call(words).integer, kParked);
    // What TAKE meets on its way: those tenants.
    while (Call({"HLEN", "{phasor}:park"}).integer < kParked) {
      Measure("take that parks", [&] { queue().Take(TakeOf(0, 1)).value(); });
    }
  }

  // What those who submit and watch ask for. Each round has jobs of its own to change.
  void Producers(int round) {
    const int fresh = 1'000'000 * (round + 1);
    for (int n = 0; n < 20; ++n) {
      Measure("submit of 64", [&] { Submit(fresh + 64 * n, 64); });
    }
    for (int n = 0; n < 30; ++n) {
      const int at = kJobs - 1 - 600 * n - round;  // all over a long list
      Measure("get", [&] { ASSERT_TRUE(queue().Get(Id(at), {}).ok()); });
      Measure("cancel", [&] { ASSERT_TRUE(queue().Cancel(Id(at), {}).ok()); });
      const int of_many = kSpread + 300 * n + 17 * round;  // and of a long ring
      Measure("cancel", [&] { ASSERT_TRUE(queue().Cancel(Id(of_many), {}).ok()); });
      Measure("adopt",
              [&] { ASSERT_TRUE(queue().Adopt(Id(of_many + 1), State::kDead, "record").ok()); });
      Measure("redrive", [&] { ASSERT_TRUE(queue().Redrive(Id(of_many + 1), {}).ok()); });
    }
    std::vector<ListRequest> lists(7);
    lists[1].tenant = "tenant-7";
    lists[2].model = Model(77);
    lists[3].states = {State::kLeased};
    lists[4].states = {State::kDead};
    lists[5].states = {State::kLeased, State::kWaiting, State::kSealing};
    lists[6].states = {State::kExpired};
    for (ListRequest& list : lists) {
      list.limit = 1'000;
      for (int page = 0; page < 5; ++page) {
        Measure("list", [&] { list.page = queue().List(list).value().next_page; });
      }
    }
  }

  void Consumers(int round) {
    for (int n = 0; n < 40; ++n) {
      Grant grant;
      const int model = 2 + 4 * n + round;
      Measure("take of one model", [&] { grant = MustTake(model, 1); });
      RenewRequest renew;
      renew.fence = grant.fence;
      renew.units = 1;
      Measure("renew", [&] { ASSERT_EQ(queue().Renew(renew).value(), OwnerAnswer::kOk); });
      Measure("complete",
              [&] { ASSERT_EQ(queue().Complete(grant.fence, "r").value(), OwnerAnswer::kOk); });
      Measure("take of 64 models", [&] { grant = MustTake(model, kMaxModelsOffered); });
      Measure("release",
              [&] { ASSERT_EQ(queue().Release(grant.fence, "", 0).value(), OwnerAnswer::kOk); });
      Failure failure;
      failure.fence = MustTake(model, 1).fence;
      failure.worker_lost = n % 2 == 0;
      failure.retryable = true;
      Measure("fail", [&] { ASSERT_TRUE(queue().Fail(failure).ok()); });
    }
    for (const int models : {1, static_cast<int>(kMaxModelsOffered)}) {
      const std::string name = "take of 64 workers, models: " + std::to_string(models);
      for (int n = 0; n < 4; ++n)
        Measure(name, [&] { TakeForWorkers(64, 20 + 50 * round + 10 * n, models); });
    }
  }

  // As the pipeline joins the calls of so many.
  void TakeForWorkers(int workers, int first_model, int models) {
    std::vector<std::string> words = {
        "EVALSHA", scripts::kTake.sha1, "1", "{phasor}:", "0", std::to_string(models)};
    const TakeRequest take = TakeOf(first_model, models);
    words.insert(words.end(), take.models.begin(), take.models.end());
    for (int n = 0; n < workers; ++n) {
      for (const std::string& word :
           {std::string("worker"), std::string("node"), take.nonce + "-" + std::to_string(n),
            std::string("15000"), std::string(), std::string(), std::string(), std::string()}) {
        words.push_back(word);
      }
    }
    const RedisReply grants = Call(words);
    ASSERT_EQ(grants.list.size(), static_cast<size_t>(workers)) << grants.text;
  }

  void Upkeep(int round) {
    queue().AdvanceForTesting(Millis(20'000));
    for (int n = 0; n < 10; ++n) {
      Measure("stats", [&] { ASSERT_TRUE(queue().Stats().ok()); });
      Measure("preempt", [&] { ASSERT_TRUE(queue().Preempt(kMaxPreemptions).ok()); });
    }
    if (round + 1 == kRounds) {
      // Of jobs in every state, those of the rounds before too.
      AuditAll("audit", "");
      AuditAll("history", "h");
      queue().AdvanceForTesting(std::chrono::hours(1));  // leases, delays and deadlines end
    }
    for (int n = 0; n < 20; ++n) {
      Measure("recover", [&] { ASSERT_TRUE(queue().Recover(kMaxMoved).ok()); });
      Measure("seals", [&] { ASSERT_TRUE(queue().PendingSeals(kMaxSeals).ok()); });
    }
    QueueLimits limits = queue().Limits().value();
    limits.max_ended = 1'000;
    Measure("set limits and unpark", [&] { ASSERT_TRUE(queue().SetLimits(limits).ok()); });
    for (int n = 0; n < 4; ++n) {
      Measure("forget", [&] { ASSERT_TRUE(queue().Forget(kMaxForget).ok()); });
    }
  }

  // A whole round of it, the most that this test does; once more only if it took too long, which
  // the machine may have done.
  void AuditAll(const std::string& name, const std::string& begin) {
    for (int attempt = 0; attempt < kRounds; ++attempt) {
      round_.erase(name);
      std::string cursor = begin;
      do {
        Measure(name, [&] { cursor = queue().Audit(cursor, kMaxAudit).value().next_cursor; });
      } while (!cursor.empty());
      if (LongestOf(&round_[name]) < 1'000 * kMostMillis) return;
    }
  }

  void Controls(int round) {
    for (int n = 0; n < 10; ++n) {
      const std::string tenant = "tenant-" + std::to_string(kTenants - 1 - n - 10 * round);
      Measure("set tenant limits",
              [&] { ASSERT_TRUE(queue().SetTenantLimits(tenant, {.max_running = n % 2}).ok()); });
    }
    Measure("pause", [&] { ASSERT_TRUE(queue().SetPaused(true).ok()); });
    Measure("pause", [&] { ASSERT_TRUE(queue().SetPaused(false).ok()); });
  }

  Spent Now() {
    const std::string info = Call({"INFO", "cpu", "commandstats"}).text;
    Spent spent;
    for (const char* name : {"used_cpu_sys_main_thread:", "used_cpu_user_main_thread:"}) {
      spent.micros += 1e6 * NumberBehind(info, name);
    }
    for (size_t at = info.find("cmdstat_"); at != std::string::npos;
         at = info.find("cmdstat_", at + 1)) {
      const std::string name = info.substr(at + 8, info.find(':', at) - at - 8);
      const int64_t calls = std::atoll(info.c_str() + info.find("calls=", at) + 6);
      if (name == "evalsha" || name == "eval") spent.runs += calls;
      if (name != "evalsha" && name != "eval" && name != "info") spent.commands += calls;
    }
    return spent;
  }

  // What a call takes, for each of the scripts that it runs on average.
  void Measure(const std::string& name, const std::function<void()>& call) {
    const Spent before = Now();
    call();
    const Spent after = Now();
    const int64_t runs = std::max<int64_t>(after.runs - before.runs, 1);
    round_[name].push_back((after.micros - before.micros) / static_cast<double>(runs));
    Spent& most = most_[name];
    most.runs += runs;
    most.commands = std::max(most.commands, (after.commands - before.commands) / runs);
  }

  // The longest, but for one in fifty that the machine may have disturbed.
  static double LongestOf(std::vector<double>* micros) {
    std::sort(micros->begin(), micros->end());
    return (*micros)[micros->size() - 1 - micros->size() / 50];
  }

  void EndRound() {
    for (auto& [name, micros] : round_) {
      const double longest = LongestOf(&micros);
      Spent& most = most_[name];
      most.micros = most.micros > 0 ? std::min(most.micros, longest) : longest;
    }
    round_.clear();
  }

  void Report() {
    for (const auto& [name, spent] : most_) {
      std::cout << std::left << std::setw(32) << name << std::right << std::setw(6) << spent.runs
                << " runs" << std::setw(8) << std::fixed << std::setprecision(2)
                << spent.micros / 1000 << " ms" << std::setw(6) << spent.commands << " commands\n";
      EXPECT_LT(spent.micros / 1000, kMostMillis) << name;
      EXPECT_LT(spent.commands, kMostCommands) << name;
    }
  }

  const RedisServer server_;
  RedisOptions options_;
  std::unique_ptr<RedisConnection> connection_;
  std::unique_ptr<RedisQueue> queue_;
  std::map<std::string, std::vector<double>> round_;  // microseconds
  std::map<std::string, Spent> most_;
  int nonces_ = 0;
};

TEST_F(ScaleTest, NoScriptKeepsRedisBusyForTenMilliseconds) {
  Fill();
  if (HasFatalFailure()) return;
  EndRound();
  for (int round = 0; round < kRounds; ++round) {
    Producers(round);
    Consumers(round);
    Upkeep(round);
    Controls(round);
    EndRound();
  }
  Report();
}

}  // namespace
}  // namespace phasor::queue
