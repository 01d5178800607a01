#include "common/storage/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'800'000'000'000;
const job::JobId kId = TestId(1);

SweepPolicy Policy() {
  return {.orphan_after = Millis(24 * kHour),
          .result_retention = Millis(100 * kHour),
          .record_retention = Millis(200 * kHour)};
}

// How long ago each object was written, in hours; -1: it is not there.
struct Ages {
  int named = -1;
  int orphan = -1;
  int checkpoint = -1;
  int record = -1;
  int other = -1;
};

std::string NamedKey() { return BlobKey(kId, 3, "nonce", 0); }  // the one that TestRecord names
std::string OrphanKey() { return BlobKey(kId, 2, "loser", 0); }

JobObjects ObjectsOf(const Ages& ages) {
  JobObjects job{kId, {}};
  const auto add = [&](const std::string& key, int hours) {
    if (hours >= 0) job.objects.push_back({key, kNow - hours * kHour - 1});
  };
  add(CheckpointKey(kId, 2, 10), ages.checkpoint);
  add(TerminalKey(kId), ages.record);  // first in some listings: the plan must reorder it
  add("jobs/" + kId + "/note", ages.other);
  add(NamedKey(), ages.named);
  add(OrphanKey(), ages.orphan);
  return job;
}

std::string NameOf(const Deletion& deletion) {
  if (deletion.key == NamedKey()) return "named";
  if (deletion.key == OrphanKey()) return "orphan";
  if (deletion.key == CheckpointKey(kId, 2, 10)) return "checkpoint";
  return deletion.key == TerminalKey(kId) ? "record" : deletion.key;
}

std::vector<std::string> Plan(const Ages& ages, bool has_record, bool in_queue,
                              const SweepPolicy& policy = Policy()) {
  const JobObjects job = ObjectsOf(ages);
  std::optional<TerminalRecord> record;
  if (has_record) record = TestRecord(1);
  std::vector<std::string> names;
  for (const Deletion& deletion : PlanSweep(job, record, in_queue, policy, kNow)) {
    names.push_back(NameOf(deletion));
  }
  EXPECT_TRUE(names.empty() || IsWorthALook(job, policy, kNow));
  return names;
}

TEST(SweepTest, NothingOfAJobInTheQueueGoesHoweverOld) {
  EXPECT_THAT(Plan({.orphan = 9'999, .checkpoint = 9'999, .other = 9'999}, false, true), IsEmpty());
}

TEST(SweepTest, WhatAJobLeftThatTheQueueForgotGoesAfterADay) {
  EXPECT_THAT(Plan({.orphan = 23, .checkpoint = 23}, false, false), IsEmpty());
  EXPECT_THAT(Plan({.orphan = 24, .checkpoint = 23}, false, false), ElementsAre("orphan"));
  EXPECT_THAT(Plan({.orphan = 23, .checkpoint = 24}, false, false), ElementsAre("checkpoint"));
}

TEST(SweepTest, CheckpointsGoAtOnceWhenTheRecordStands) {
  EXPECT_THAT(Plan({.checkpoint = 0, .record = 0}, true, false), ElementsAre("checkpoint"));
  EXPECT_THAT(Plan({.checkpoint = 0, .record = 0}, true, true), ElementsAre("checkpoint"))
      << "the record decides, not the queue";
}

TEST(SweepTest, AWorkerThatLostMayStillBePublishingForADay) {
  EXPECT_THAT(Plan({.named = 23, .orphan = 23, .record = 23}, true, false), IsEmpty());
  EXPECT_THAT(Plan({.named = 24, .orphan = 24, .record = 24}, true, false), ElementsAre("orphan"));
}

TEST(SweepTest, AResultGoesPastItsRetentionAndItsRecordLater) {
  EXPECT_THAT(Plan({.named = 99, .record = 99}, true, false), IsEmpty());
  EXPECT_THAT(Plan({.named = 100, .record = 100}, true, false), ElementsAre("named"));
  EXPECT_THAT(Plan({.record = 199}, true, false), IsEmpty());
  EXPECT_THAT(Plan({.record = 200}, true, false), ElementsAre("record"));
}

TEST(SweepTest, TheRecordIsDeletedBehindWhatItNames) {
  EXPECT_THAT(Plan({.named = 200, .orphan = 200, .checkpoint = 200, .record = 200}, true, false),
              ElementsAre("checkpoint", "named", "orphan", "record"));
}

TEST(SweepTest, AResultIsAsOldAsTheYoungestOfItsParts) {
  EXPECT_THAT(Plan({.named = 500, .record = 50}, true, false), IsEmpty());
  EXPECT_THAT(Plan({.named = 50, .record = 500}, true, false), IsEmpty());
  EXPECT_THAT(Plan({.named = 500}, true, false), IsEmpty())
      << "a record that the listing missed has just been written";
}

TEST(SweepTest, WithoutRetentionResultsStayForEver) {
  const SweepPolicy policy{.orphan_after = Millis(24 * kHour)};
  EXPECT_THAT(Plan({.named = 99'999, .orphan = 30, .record = 99'999}, true, false, policy),
              ElementsAre("orphan"));
  const SweepPolicy results{.orphan_after = Millis(24 * kHour),
                            .result_retention = Millis(100 * kHour)};
  EXPECT_THAT(Plan({.named = 99'999, .record = 99'999}, true, false, results),
              ElementsAre("named"));
}

TEST(SweepTest, WhatSeemsToComeFromTheFutureIsYoung) {
  JobObjects job{kId, {{OrphanKey(), kNow + 1'000 * kHour}, {TerminalKey(kId), kNow + kHour}}};
  EXPECT_THAT(PlanSweep(job, TestRecord(1), false, Policy(), kNow), IsEmpty());
  EXPECT_THAT(PlanSweep(job, std::nullopt, false, Policy(), kNow), IsEmpty());
}

TEST(SweepTest, NobodyIsAskedAboutYoungOrSettledObjects) {
  EXPECT_FALSE(IsWorthALook(ObjectsOf({.checkpoint = 23}), Policy(), kNow)) << "a running job";
  EXPECT_FALSE(IsWorthALook(ObjectsOf({.named = 23, .record = 23}), Policy(), kNow));
  EXPECT_FALSE(IsWorthALook(ObjectsOf({.record = 99}), Policy(), kNow)) << "no blob left";
  EXPECT_TRUE(IsWorthALook(ObjectsOf({.checkpoint = 24}), Policy(), kNow));
  EXPECT_TRUE(IsWorthALook(ObjectsOf({.checkpoint = 0, .record = 0}), Policy(), kNow));
}

TEST(SweepTest, PoliciesThatWouldLoseResultsAreRefused) {
  const struct {
    SweepPolicy policy;
    std::string field;  // "": it is valid
  } cases[] = {
      {SweepPolicy{}, ""},
      {Policy(), ""},
      {{.orphan_after = Millis(kHour - 1)}, "orphan_after"},
      {{.orphan_after = Millis(0)}, "orphan_after"},
      {{.result_retention = Millis(kHour - 1)}, "result_retention"},
      {{.result_retention = Millis(-kHour)}, "result_retention"},
      {{.result_retention = Millis(kHour)}, ""},
      {{.result_retention = Millis(kHour), .record_retention = Millis(71 * kHour)},
       "record_retention"},
      {{.result_retention = Millis(kHour), .record_retention = Millis(72 * kHour)}, ""},
      {{.record_retention = Millis(72 * kHour)}, "result_retention"},
      {{.result_retention = Millis(100 * kHour), .record_retention = Millis(99 * kHour)},
       "record_retention"},
  };
  for (const auto& [policy, field] : cases) {
    const Status status = Validate(policy);
    EXPECT_EQ(status.ok(), field.empty()) << status;
    EXPECT_NE(Message(status).find(field), std::string::npos) << status;
  }
}

// What a deletion may never be, whatever the ages are.
void CheckPlan(const JobObjects& job, bool has_record, bool in_queue, const SweepPolicy& policy,
               const std::vector<Deletion>& plan) {
  std::set<std::string> gone;
  for (const Deletion& deletion : plan) {
    const auto object = std::find_if(job.objects.begin(), job.objects.end(),
                                     [&](const StoredObject& o) { return o.key == deletion.key; });
    ASSERT_NE(object, job.objects.end()) << "only what is there";
    ASSERT_TRUE(gone.insert(deletion.key).second) << "only once";
    const int64_t age = kNow - object->modified_ms;
    const std::string name = NameOf(deletion);
    if (name != "checkpoint" || !has_record) {
      ASSERT_GT(age, policy.orphan_after.count()) << name;
    }
    if (has_record && name == "named") {
      ASSERT_GT(age, policy.result_retention.count());
    }
    if (name == "record") {
      ASSERT_GT(age, policy.record_retention.count());
      ASSERT_EQ(&deletion, &plan.back());
    }
    ASSERT_TRUE(has_record || !in_queue) << "a live job";
    ASSERT_NE(ParseJobKey(deletion.key)->kind, ObjectKind::kOther);
  }
  const bool has_named = std::any_of(job.objects.begin(), job.objects.end(),
                                     [](const StoredObject& o) { return o.key == NamedKey(); });
  if (gone.count(TerminalKey(kId)) != 0 && has_named) {
    ASSERT_EQ(gone.count(NamedKey()), 1u) << "a blob outlives its record";
  }
}

TEST(SweepTest, ARandomWalkNeverDeletesWhatIsStillNeeded) {
  std::mt19937 random(20'261'121);
  const auto age = [&] { return static_cast<int>(random() % 300) - 30; };
  int deletions = 0;
  for (int round = 0; round < 20'000; ++round) {
    JobObjects job = ObjectsOf(
        {.named = age(), .orphan = age(), .checkpoint = age(), .record = age(), .other = age()});
    std::shuffle(job.objects.begin(), job.objects.end(), random);
    const bool has_record = random() % 2 == 0;
    const bool in_queue = random() % 2 == 0;
    std::optional<TerminalRecord> record;
    if (has_record) record = TestRecord(1);
    const auto plan = PlanSweep(job, record, in_queue, Policy(), kNow);
    deletions += static_cast<int>(plan.size());
    ASSERT_TRUE(plan.empty() || IsWorthALook(job, Policy(), kNow));
    ASSERT_NO_FATAL_FAILURE(CheckPlan(job, has_record, in_queue, Policy(), plan)) << round;
  }
  EXPECT_GT(deletions, 1'000);
}

}  // namespace
}  // namespace phasor::storage
