// What the audit repairs: members are deleted from, or forged into, every index of a real Redis,
// and then every job must still come to its end.

#include <algorithm>
#include <thread>

#include "common/testing/redis_server.h"
#include "tests/integration/redis_queue_under_test.h"

namespace phasor::queue {
namespace {

class RedisQueueAuditTest : public testing::Test {
 protected:
  static RedisServer& server() {
    static RedisServer shared;
    return shared;
  }

  void SetUp() override {
    redis_ = std::make_unique<RedisQueueUnderTest>(server().url());
    SubmitRequest request = TestRequest(0);
    for (int n = 0; n < 40; ++n) {
      request.id = TestJobId(n);
      request.tenant = "tenant-" + std::to_string(n % 3);
      request.deadline_ms = n % 4 == 0 ? 4'000'000'000'000 : 0;
      ASSERT_TRUE(redis_->queue().Submit(request).ok());
    }
    for (int i = 0; i < 12; ++i) {  // some run, some wait, some are being sealed
      const Grant grant = *Take();
      if (i % 3 == 0) continue;
      Failure failure;
      failure.fence = grant.fence;
      failure.retryable = i % 3 == 1;
      failure.delay = Millis(5'000);
      ASSERT_TRUE(redis_->queue().Fail(failure).ok());
    }
    ASSERT_EQ(redis_->Violations(), std::vector<std::string>());
  }

  RedisReply Call(const std::vector<std::string_view>& arguments) {
    return redis_->Call(arguments);
  }

  std::optional<Grant> Take() {
    TakeRequest take;
    take.worker = "worker";
    take.nonce = "n" + std::to_string(++nonces_);
    take.models = {"model-a"};
    return redis_->queue().Take(take).value();
  }

  AuditReport Round(std::string cursor = "") {
    AuditReport total;
    do {
      const AuditReport part = redis_->queue().Audit(cursor, 16).value();
      total.repaired += part.repaired;
      total.repairs.insert(total.repairs.end(), part.repairs.begin(), part.repairs.end());
      cursor = part.next_cursor;
    } while (!cursor.empty());
    return total;
  }

  // Everything that was submitted ends, whatever state it was in.
  void ExpectThatAllJobsEnd(int jobs = 40) {
    for (int i = 0; i < 200; ++i) {
      redis_->Advance(Millis(20'000));
      ASSERT_TRUE(redis_->queue().Recover(100).ok());
      const std::vector<SealRequest> seals = redis_->queue().PendingSeals(100).value();
      for (const SealRequest& seal : seals) {
        ASSERT_TRUE(redis_->queue().Adopt(seal.id, seal.want, "record").ok());
      }
      while (const std::optional<Grant> grant = Take()) {
        ASSERT_EQ(redis_->queue().Complete(grant->fence, "r").value(), OwnerAnswer::kOk);
      }
      if (redis_->queue().Stats()->live == 0) break;
    }
    for (int n = 0; n < jobs; ++n) {
      EXPECT_TRUE(job::IsTerminal(redis_->queue().Get(TestJobId(n), {})->state)) << n;
    }
    EXPECT_EQ(redis_->Violations(), std::vector<std::string>());
  }

  std::unique_ptr<RedisQueueUnderTest> redis_;
  int nonces_ = 0;
};

TEST_F(RedisQueueAuditTest, PutsBackWhatAnIndexHasLost) {
  const std::string some = TestJobId(20);
  const std::vector<std::vector<std::string_view>> damages = {
      {"ZPOPMIN", "{phasor}:live", "7"},
      {"ZPOPMAX", "{phasor}:live", "7"},
      {"DEL", "{phasor}:live"},
      {"DEL", "{phasor}:lease"},
      {"ZPOPMIN", "{phasor}:lease", "1"},
      {"DEL", "{phasor}:delay"},
      {"DEL", "{phasor}:seal"},
      {"DEL", "{phasor}:due"},
      {"LPOP", "{phasor}:q:model-a:2:tenant-1", "3"},
      {"RPOP", "{phasor}:q:model-a:2:tenant-1", "3"},
      {"DEL", "{phasor}:q:model-a:2:tenant-2"},
      {"DEL", "{phasor}:ring:model-a:2"},
      {"LPOP", "{phasor}:ring:model-a:2"},
      {"DEL", "{phasor}:dq:model-a:2"},
      {"DEL", "{phasor}:depth:model-a"},
      {"HSET", "{phasor}:depth:model-a", "2", "77", "run", "5"},
      {"DEL", "{phasor}:tn"},
      {"HSET", "{phasor}:tn", "tenant-0", "1", "nobody", "3"},
      {"DEL", "{phasor}:tr"},
      {"DEL", "{phasor}:models"},
      {"HSET", "{phasor}:depth:model-a", "cost", "7"},
      {"SET", "{phasor}:seq", "3"},
      {"ZADD", "{phasor}:live", "XX", "0.5", some},
      {"ZADD", "{phasor}:live", "XX", "12.5", some},
      {"ZADD", "{phasor}:live", "XX", "77", some},
  };
  for (const auto& damage : damages) {
    SetUp();
    ASSERT_TRUE(redis_->queue().Cancel(TestJobId(38), {}).ok());
    SCOPED_TRACE(std::string(damage[0]) + " " + std::string(damage[1]));
    ASSERT_NE(Call(damage).kind, RedisReply::Kind::kError);
    EXPECT_GT(Round().repaired, 0);
    EXPECT_EQ(redis_->Violations(), std::vector<std::string>());
    const AuditReport second = Round();
    EXPECT_EQ(second.repairs, std::vector<std::string>()) << "one round is enough";
    ExpectThatAllJobsEnd();
  }
}

TEST_F(RedisQueueAuditTest, DropsWhatTheStateDoesNotName) {
  const std::string done = TestJobId(30);
  const std::string other = TestJobId(31);  // outlives the views below
  ASSERT_TRUE(redis_->queue().Cancel(done, {}).ok());
  const std::vector<std::vector<std::string_view>> damages = {
      {"ZADD", "{phasor}:live", "999999", done},
      {"ZADD", "{phasor}:live", "999999", "nobody"},
      {"ZADD", "{phasor}:lease", "9999999999999", done},
      {"ZADD", "{phasor}:delay", "9999999999999", "nobody"},
      {"ZADD", "{phasor}:seal", "1", done},
      {"ZADD", "{phasor}:due", "9999999999999", done},
      {"HSET", "{phasor}:tk", "nonce", done},
      {"HSET", "{phasor}:tk", "nonce", "nobody"},
      {"LPUSH", "{phasor}:q:model-a:2:tenant-1", done},
      {"RPUSH", "{phasor}:ring:model-a:2", "tenant-9"},
      {"RPUSH", "{phasor}:ring:model-a:2", "tenant-1"},
      {"HSET", "{phasor}:park", "tenant-9", " model-a:2 "},
  };
  for (const auto& damage : damages) {
    SCOPED_TRACE(std::string(damage[0]) + " " + std::string(damage[1]));
    ASSERT_NE(Call(damage).kind, RedisReply::Kind::kError);
    EXPECT_GT(Round().repaired, 0);
    EXPECT_EQ(redis_->Violations(), std::vector<std::string>());
    EXPECT_EQ(Round().repairs, std::vector<std::string>());
  }
  ExpectThatAllJobsEnd();
}

TEST_F(RedisQueueAuditTest, ARoundOverEverythingMendsWhatIsKnownOfJobsThatEnded) {
  const std::string done = TestJobId(30);
  const std::string other = TestJobId(31);
  ASSERT_TRUE(redis_->queue().Cancel(done, {}).ok());
  const std::vector<std::vector<std::string_view>> damages = {
      {"DEL", "{phasor}:gone"},
      {"ZREM", "{phasor}:all", done},
      {"DEL", "{phasor}:all"},
      {"ZADD", "{phasor}:dead", "1", done},
      {"ZADD", "{phasor}:all", "999999", "nobody"},
      {"ZADD", "{phasor}:gone", "1", "nobody"},
      {"ZADD", "{phasor}:gone", "9999999999999", other},
  };
  for (const auto& damage : damages) {
    SCOPED_TRACE(std::string(damage[0]) + " " + std::string(damage[1]));
    ASSERT_NE(Call(damage).kind, RedisReply::Kind::kError);
    EXPECT_GT(Round(kAuditEverything).repaired, 0);
    EXPECT_EQ(redis_->Violations(), std::vector<std::string>());
    EXPECT_EQ(Round(kAuditEverything).repairs, std::vector<std::string>());
  }
  ExpectThatAllJobsEnd();
}

TEST_F(RedisQueueAuditTest, CallersThatAuditByThePaceShareIt) {
  RedisQueue other(OptionsFor(server().url()));
  const auto look = [](RedisQueue& queue) {
    int64_t looked = 0;
    while (const int64_t some = queue.Audit(kAuditDue, 16)->looked) looked += some;
    return looked;
  };
  EXPECT_GT(look(redis_->queue()), 40);
  EXPECT_EQ(look(other), 0) << "the round has been made, whoever asks";
  redis_->Advance(Millis(6'000));
  EXPECT_GT(look(redis_->queue()), 40);
  EXPECT_EQ(look(redis_->queue()), 0);
}

TEST_F(RedisQueueAuditTest, WhatIsDueMendsLiveThingsAtOnceAndHistoryWithinTheHour) {
  ASSERT_TRUE(redis_->queue().Cancel(TestJobId(38), {}).ok());
  const auto mend = [&] {
    int64_t repaired = 0;
    for (;;) {
      const AuditReport report = redis_->queue().Audit(kAuditDue, 16).value();
      if (report.looked == 0) return repaired;
      repaired += report.repaired;
    }
  };
  EXPECT_EQ(mend(), 0);
  Call({"DEL", "{phasor}:ring:model-a:2"});
  Call({"DEL", "{phasor}:gone"});
  redis_->Advance(Millis(6'000));
  EXPECT_GT(mend(), 0);
  EXPECT_EQ(Call({"EXISTS", "{phasor}:gone"}).integer, 0);
  redis_->Advance(std::chrono::hours(1));
  EXPECT_GT(mend(), 0);
  EXPECT_EQ(Call({"EXISTS", "{phasor}:gone"}).integer, 1);
}

TEST_F(RedisQueueAuditTest, AParkedTenantWithRoomIsLetGo) {
  ASSERT_TRUE(redis_->queue().SetTenantLimits("tenant-1", {.max_running = 1}).ok());
  while (Take()) {
  }
  ASSERT_EQ(Call({"HEXISTS", "{phasor}:park", "tenant-1"}).integer, 1);
  EXPECT_EQ(Round().repaired, 0) << "it is at its cap";
  Call({"HSET", "{phasor}:tl", "tenant-1:r", "1000"});  // behind the queue's back
  EXPECT_GT(Round().repaired, 0);
  EXPECT_TRUE(Take().has_value());
}

TEST_F(RedisQueueAuditTest, RepairsEverythingAtOnceWithSeveralAuditorsWhileWorkersWork) {
  for (const std::string_view key :
       {"{phasor}:live", "{phasor}:lease", "{phasor}:delay", "{phasor}:seal", "{phasor}:due",
        "{phasor}:ring:model-a:2", "{phasor}:tn", "{phasor}:tr", "{phasor}:depth:model-a"}) {
    Call({"DEL", key});
  }
  Call({"RPOP", "{phasor}:q:model-a:2:tenant-1", "4"});
  std::vector<std::thread> auditors;
  for (int i = 0; i < 3; ++i) {
    auditors.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        std::string cursor = i == 0 ? kAuditEverything : "";
        do {
          cursor = redis_->queue().Audit(cursor, 5).value().next_cursor;
        } while (!cursor.empty());
      }
    });
  }
  std::thread worker([&] {
    for (int i = 0; i < 30; ++i) {
      if (const auto grant = Take()) {
        EXPECT_EQ(redis_->queue().Complete(grant->fence, "r").value(), OwnerAnswer::kOk);
      }
    }
  });
  for (std::thread& auditor : auditors) auditor.join();
  worker.join();
  Round(kAuditEverything);
  EXPECT_EQ(redis_->Violations(), std::vector<std::string>());
  ExpectThatAllJobsEnd();
}

TEST_F(RedisQueueAuditTest, ARecordThatIsNoneIsDroppedAndStopsNobody) {
  const std::vector<std::string> spoilt = {TestJobId(20), TestJobId(21), TestJobId(22)};
  Call({"SET", "{phasor}:j:" + spoilt[0], "no record"});
  Call({"SET", "{phasor}:j:" + spoilt[1], ""});
  Call({"SET", "{phasor}:s:" + spoilt[2], "no submission"});
  for (const std::string& id : spoilt) {
    EXPECT_EQ(redis_->queue().Get(id, {}).status().code(), StatusCode::kNotFound);
  }
  EXPECT_GT(Round().repaired, 0);
  EXPECT_EQ(Round().repairs, std::vector<std::string>());
  int taken = 0;
  while (const std::optional<Grant> grant = Take()) {
    ++taken;
    EXPECT_EQ(std::count(spoilt.begin(), spoilt.end(), grant->fence.id), 0);
  }
  EXPECT_GT(taken, 10);
}

TEST_F(RedisQueueAuditTest, ARepairLeavesTheOwnerItsJob) {
  const Grant grant = *Take();
  Call({"DEL", "{phasor}:lease"});
  EXPECT_GT(Round().repaired, 0);
  EXPECT_EQ(redis_->queue().Get(grant.fence.id, {})->epoch, grant.fence.epoch);
  RenewRequest renew;
  renew.fence = grant.fence;
  renew.units = 1;
  EXPECT_EQ(redis_->queue().Renew(renew).value(), OwnerAnswer::kOk);
  EXPECT_EQ(redis_->queue().Complete(grant.fence, "r").value(), OwnerAnswer::kOk);
}

TEST_F(RedisQueueAuditTest, ALeaseThatWasLostRunsOutAfterItsRepair) {
  const Grant grant = *Take();
  RenewRequest heard;
  heard.fence = grant.fence;
  ASSERT_EQ(redis_->queue().Renew(heard).value(), OwnerAnswer::kOk);
  Call({"DEL", "{phasor}:lease"});
  redis_->Advance(Millis(60'000));
  EXPECT_EQ(redis_->queue().Get(grant.fence.id, {})->state, State::kLeased) << "nobody saw it end";
  EXPECT_GT(Round().repaired, 0);
  redis_->Advance(Millis(16'000));
  ASSERT_TRUE(redis_->queue().Recover(100).ok());
  EXPECT_EQ(redis_->queue().Get(grant.fence.id, {})->crashes, 1);
}

TEST_F(RedisQueueAuditTest, ACursorOfARoundThatIsOverEndsAtOnce) {
  const AuditReport begun = redis_->queue().Audit("", 1).value();
  ASSERT_NE(begun.next_cursor, "");
  EXPECT_EQ(redis_->queue().Audit("", 1)->next_cursor, begun.next_cursor) << "one round for all";
  Round();
  const AuditReport late = redis_->queue().Audit(begun.next_cursor, 10).value();
  EXPECT_EQ(late.next_cursor, "");
  EXPECT_EQ(late.looked, 0);
}

TEST_F(RedisQueueAuditTest, LooksThroughALongListInBoundedSteps) {
  SubmitRequest request = TestRequest(0);
  std::vector<SubmitRequest> many;
  for (int n = 1000; n < 4000; ++n) {
    request.id = TestJobId(n);
    request.tenant = "tenant-1";
    many.push_back(request);
  }
  for (const auto& reply : redis_->queue().SubmitAll(many)) ASSERT_TRUE(reply.ok());
  Call({"LPOP", "{phasor}:q:model-a:2:tenant-1", "500"});
  AuditReport total;
  std::string cursor;
  do {
    const AuditReport part = redis_->queue().Audit(cursor, 100).value();
    EXPECT_LE(part.looked, 500);
    EXPECT_LE(part.repairs.size(), 20u);
    total.repaired += part.repaired;
    cursor = part.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(total.repaired, 500);
  EXPECT_EQ(redis_->queue().Audit("", 1000)->repaired, 0);
}

}  // namespace
}  // namespace phasor::queue
