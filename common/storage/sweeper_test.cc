#include "common/storage/sweeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "common/storage/memory_store.h"
#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int64_t kHour = 3'600'000;

SweepPolicy Policy() {
  return {.orphan_after = Millis(24 * kHour),
          .result_retention = Millis(100 * kHour),
          .record_retention = Millis(200 * kHour)};
}

// A store whose next calls fail, as one whose network is down.
class FailingStore final : public ResultStore {
 public:
  explicit FailingStore(ResultStore* store) : store_(store) {}
  void FailNext(int calls, int after = 0) {
    failures_ = calls;
    successes_ = after;
  }
  int reads = 0;

  Status Put(const std::string& key, std::string_view bytes) override {
    return store_->Put(key, bytes);
  }
  StatusOr<std::string> Get(const std::string& key) override { return store_->Get(key); }
  Status Delete(const std::string& key) override {
    RETURN_IF_ERROR(Fail());
    return store_->Delete(key);
  }
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor,
                          int limit) override {
    RETURN_IF_ERROR(Fail());
    return store_->List(prefix, cursor, limit);
  }
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override {
    return store_->CreateTerminal(record);
  }
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override {
    std::vector<StatusOr<TerminalRecord>> records;
    for (const job::JobId& id : ids) records.push_back(Read(id));
    return records;
  }
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override {
    return store_->CreateOnce(key, bytes);
  }
  std::set<job::JobId> broken;

 private:
  StatusOr<TerminalRecord> Read(const job::JobId& id) {
    ++reads;
    if (broken.count(id) != 0) return DataLoss("broken");
    RETURN_IF_ERROR(Fail());
    return store_->ReadTerminal(id);
  }
  Status Fail() {
    if (successes_-- > 0) return OkStatus();
    return failures_-- > 0 ? Unavailable("down") : OkStatus();
  }
  ResultStore* const store_;
  int failures_ = 0;
  int successes_ = 0;
};

class SweeperTest : public testing::Test {
 protected:
  // Two checkpoints, a loser's blob and, if it has `ended`, a record and the blob it names.
  void AddJob(int n, bool ended) {
    const TerminalRecord record = TestRecord(n);
    for (const int step : {5, 10}) Add(CheckpointKey(record.id, 3, step));
    Add(BlobKey(record.id, 2, "loser", 0));
    if (!ended) return;
    Add(record.images[0].blob);
    ASSERT_TRUE(store_.CreateTerminal(record).ok());
  }
  void Add(const std::string& key) { ASSERT_TRUE(store_.Put(key, "bytes").ok()); }

  // A whole round; fails on the first error.
  SweepReport Round() {
    SweepReport sum;
    for (int ticks = 0; !sum.round_over && ticks < 1'000; ++ticks) {
      const SweepReport report = sweeper_.Tick(clock_.WallMillis());
      EXPECT_TRUE(report.status.ok()) << report.status;
      sum.looked += report.looked;
      sum.orphans += report.orphans;
      sum.checkpoints += report.checkpoints;
      sum.results += report.results;
      sum.records += report.records;
      sum.unreadable += report.unreadable;
      sum.round_over = report.round_over;
    }
    return sum;
  }
  std::vector<std::string> Keys() { return *ListKeys(store_, "jobs"); }
  void Pass(int hours) { clock_.Advance(Millis(hours * kHour)); }

  FakeClock clock_;
  MemoryStore store_{clock_};
  FailingStore failing_{&store_};
  std::set<job::JobId> in_queue_;
  Status queue_answer_;
  Sweeper sweeper_{&failing_, Policy(), [this](const job::JobId& id) -> StatusOr<bool> {
                     RETURN_IF_ERROR(queue_answer_);
                     return in_queue_.count(id) != 0;
                   }};
};

TEST_F(SweeperTest, AnEmptyStoreIsARoundOfOneTick) {
  EXPECT_TRUE(sweeper_.Tick(clock_.WallMillis()).round_over);
  EXPECT_TRUE(sweeper_.Tick(clock_.WallMillis()).round_over);
}

TEST_F(SweeperTest, AJobGoesStepByStepUntilNothingIsLeft) {
  AddJob(1, true);
  const TerminalRecord record = TestRecord(1);
  SweepReport report = Round();
  EXPECT_EQ(report.checkpoints, 2);
  EXPECT_EQ(report.orphans, 0);
  Pass(25);
  report = Round();
  EXPECT_EQ(report.orphans, 1);
  EXPECT_THAT(Keys(), UnorderedElementsAre(record.images[0].blob, TerminalKey(record.id)));
  Pass(76);
  EXPECT_EQ(Round().results, 1);
  EXPECT_TRUE(store_.ReadTerminal(record.id).ok()) << "its end can still be read";
  Pass(100);
  EXPECT_EQ(Round().records, 1);
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(SweeperTest, JobsInTheQueueKeepEverything) {
  AddJob(1, false);
  AddJob(2, false);
  in_queue_.insert(TestId(1));
  Pass(1'000);
  const SweepReport report = Round();
  EXPECT_EQ(report.orphans, 3);
  EXPECT_EQ(Keys().size(), 3u);
  for (const std::string& key : Keys()) EXPECT_EQ(ParseJobKey(key)->id, TestId(1));
}

TEST_F(SweeperTest, AQueueThatDoesNotAnswerSavesTheJobAndEndsTheTick) {
  AddJob(1, false);
  Pass(1'000);
  queue_answer_ = Unavailable("Redis is away");
  const SweepReport report = sweeper_.Tick(clock_.WallMillis());
  EXPECT_EQ(report.status.code(), StatusCode::kUnavailable);
  EXPECT_FALSE(report.round_over);
  EXPECT_EQ(Keys().size(), 3u);
  queue_answer_ = OkStatus();
  Round();
  Round();
  EXPECT_THAT(Keys(), IsEmpty()) << "the next round comes back to it";
}

TEST_F(SweeperTest, ManyPagesAreSweptInTicksOfBoundedSize) {
  constexpr int kJobs = 700;  // 3,500 objects: pages end within jobs
  for (int i = 0; i < kJobs; ++i) AddJob(i, true);
  int ticks = 0;
  SweepReport report;
  int64_t checkpoints = 0;
  int64_t looked = 0;
  while (!report.round_over) {
    report = sweeper_.Tick(clock_.WallMillis());
    ASSERT_TRUE(report.status.ok());
    EXPECT_LE(report.looked, kMaxListPage);
    looked += report.looked;
    checkpoints += report.checkpoints;
    ASSERT_LT(++ticks, 10);
  }
  EXPECT_EQ(ticks, 4);
  EXPECT_EQ(looked, 5 * kJobs);
  EXPECT_EQ(checkpoints, 2 * kJobs);
}

TEST_F(SweeperTest, AFailureLosesOneJobAndTheNextTickGoesOn) {
  for (int i = 0; i < 3; ++i) AddJob(i, true);
  failing_.FailNext(1);
  SweepReport report = sweeper_.Tick(clock_.WallMillis());
  EXPECT_FALSE(report.status.ok());
  EXPECT_EQ(report.looked, 0) << "the listing failed";

  report = sweeper_.Tick(clock_.WallMillis());
  EXPECT_TRUE(report.round_over);
  EXPECT_EQ(report.checkpoints, 6);

  for (int i = 0; i < 3; ++i) Add(CheckpointKey(TestId(i), 9, 1));
  failing_.FailNext(1, /*after=*/3);  // a listing, a read and a deletion go well
  report = sweeper_.Tick(clock_.WallMillis());
  EXPECT_FALSE(report.status.ok());
  EXPECT_FALSE(report.round_over);
  EXPECT_EQ(report.checkpoints, 1);
  report = sweeper_.Tick(clock_.WallMillis());
  EXPECT_TRUE(report.round_over);
  EXPECT_EQ(report.looked, 0) << "the rest of the page";
  EXPECT_EQ(report.checkpoints, 1);
  EXPECT_EQ(Round().checkpoints, 1) << "the next round comes back to it";
}

TEST_F(SweeperTest, ABrokenRecordIsCountedAndItsJobLeftAlone) {
  AddJob(1, true);
  AddJob(2, true);
  failing_.broken.insert(TestId(1));
  Pass(1'000);
  const SweepReport report = Round();
  EXPECT_EQ(report.unreadable, 1);
  EXPECT_EQ(report.records, 1);
  EXPECT_EQ(Keys().size(), 5u) << "all of the broken one";
}

TEST_F(SweeperTest, ForeignObjectsStay) {
  Add("jobs/no-job-id/r/1.png");
  Add("jobs/" + TestId(1) + "/note");
  Add("models/x");
  Pass(1'000);
  EXPECT_EQ(Round().orphans, 0);
  EXPECT_EQ(Keys().size(), 2u);
  EXPECT_TRUE(store_.Get("models/x").ok());
}

TEST_F(SweeperTest, YoungJobsCostNoReads) {
  for (int i = 0; i < 20; ++i) AddJob(i, false);
  Round();
  EXPECT_EQ(failing_.reads, 0);
}

// Jobs come, write, end and vanish from the queue in random order while the sweeper works and the
// store fails now and then. What a client could still ask for is always there.
TEST_F(SweeperTest, ARandomWalkKeepsWhatClientsMayAskFor) {
  std::mt19937 random(7);
  std::map<int, int64_t> ended_at;
  for (int round = 0; round < 3'000; ++round) {
    const int n = static_cast<int>(random() % 30);
    const TerminalRecord record = TestRecord(n);
    switch (random() % 6) {
      case 0:
        if (ended_at.count(n) == 0) in_queue_.insert(record.id);
        break;
      case 1:
        if (in_queue_.count(record.id) != 0) Add(CheckpointKey(record.id, 1, round));
        break;
      case 2:
        if (in_queue_.count(record.id) != 0) Add(BlobKey(record.id, 1, "loser", round % 5));
        break;
      case 3:
        if (in_queue_.erase(record.id) == 0) break;
        Add(record.images[0].blob);
        ASSERT_TRUE(store_.CreateTerminal(record).ok());
        ended_at[n] = clock_.WallMillis();
        break;
      case 4:
        failing_.FailNext(static_cast<int>(random() % 3));
        sweeper_.Tick(clock_.WallMillis());
        break;
      default:
        Pass(static_cast<int>(random() % 8));
    }
    for (auto it = ended_at.begin(); it != ended_at.end();) {
      const int64_t age = clock_.WallMillis() - it->second;
      const TerminalRecord kept = TestRecord(it->first);
      const bool has_blob = store_.Get(kept.images[0].blob).ok();
      const bool gone = !store_.ReadTerminal(kept.id).ok();
      ASSERT_TRUE(has_blob || age > 100 * kHour) << round;
      ASSERT_TRUE(!gone || age > 200 * kHour) << round;
      ASSERT_FALSE(gone && has_blob) << "a result without its record";
      it = gone ? ended_at.erase(it) : std::next(it);
    }
  }
}

}  // namespace
}  // namespace phasor::storage
