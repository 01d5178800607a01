#include "common/storage/result_store_contract.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace phasor::storage {

job::JobId TestId(int n) { return job::MakeJobId("secret", "store", std::to_string(n)); }

TerminalRecord TestRecord(int n) {
  TerminalRecord record;
  record.id = TestId(n);
  record.reason = "said \"so\"\n";
  record.code = "OK";
  record.epoch = 3;
  record.nonce = "nonce";
  record.worker = "worker-1";
  record.finished_ms = 1'700'000'000'123;
  record.images.push_back(
      {BlobKey(record.id, 3, "nonce", 0), std::string(64, 'a'), 12'345, ~uint64_t{0}, 128, 96});
  record.details = std::string("\0\x01\xff\x80 opaque", 11);
  return record;
}

TEST_P(ResultStoreContract, ReturnsWhatWasPut) {
  const std::string bytes("\x89PNG\0\r\n\xff", 8);
  ASSERT_TRUE(store_->Put("jobs/a/r/1.png", bytes).ok());
  EXPECT_EQ(store_->Get("jobs/a/r/1.png").value(), bytes);
  ASSERT_TRUE(store_->Put("jobs/a/r/1.png", "").ok());
  EXPECT_EQ(store_->Get("jobs/a/r/1.png").value(), "") << "put overwrites";
  EXPECT_EQ(store_->Get("jobs/a/r/2.png").status().code(), StatusCode::kNotFound);
}

TEST_P(ResultStoreContract, DeletingTwiceIsFine) {
  ASSERT_TRUE(store_->Put("k", "v").ok());
  EXPECT_TRUE(store_->Delete("k").ok());
  EXPECT_TRUE(store_->Delete("k").ok());
  EXPECT_EQ(store_->Get("k").status().code(), StatusCode::kNotFound);
}

TEST_P(ResultStoreContract, ListsWhatIsBelowAPrefix) {
  for (const std::string key : {"jobs/a/x", "jobs/a/r/1", "jobs/ab/x", "other/a"}) {
    ASSERT_TRUE(store_->Put(key, "v").ok());
  }
  std::vector<std::string> keys = store_->List("jobs/a").value();
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys, (std::vector<std::string>{"jobs/a/r/1", "jobs/a/x"}));
  EXPECT_TRUE(store_->List("nothing/here")->empty());
}

TEST_P(ResultStoreContract, IllegalKeysAreRefused) {
  for (const std::string& key :
       {std::string(), std::string("/etc/passwd"), std::string("a/../b"), std::string("a//b"),
        std::string("a/"), std::string("."), std::string("a\0b", 3), std::string("a b"),
        std::string("a.tmp-x"), std::string("é"), std::string(201, 'a'), std::string(513, 'a')}) {
    EXPECT_EQ(store_->Put(key, "v").code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->Get(key).status().code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->Delete(key).code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->List(key).status().code(), StatusCode::kInvalidArgument) << key;
  }
}

TEST_P(ResultStoreContract, TheFirstTerminalRecordStands) {
  EXPECT_EQ(store_->ReadTerminal(TestId(1)).status().code(), StatusCode::kNotFound);
  const TerminalRecord first = TestRecord(1);
  TerminalRecord second = TestRecord(1);
  second.state = job::State::kCanceled;
  second.nonce = "second";
  second.images.clear();
  EXPECT_EQ(store_->CreateTerminal(first)->nonce, "nonce");
  EXPECT_EQ(store_->CreateTerminal(second)->nonce, "nonce");
  const TerminalRecord read = store_->ReadTerminal(TestId(1)).value();
  EXPECT_EQ(read.id, first.id);
  EXPECT_EQ(read.state, job::State::kDone);
  EXPECT_EQ(read.reason, first.reason);
  EXPECT_EQ(read.code, first.code);
  EXPECT_EQ(read.epoch, first.epoch);
  EXPECT_EQ(read.worker, first.worker);
  EXPECT_EQ(read.finished_ms, first.finished_ms);
  EXPECT_EQ(read.details, first.details);
  ASSERT_EQ(read.images.size(), 1u);
  EXPECT_EQ(read.images[0].blob, first.images[0].blob);
  EXPECT_EQ(read.images[0].sha256, first.images[0].sha256);
  EXPECT_EQ(read.images[0].bytes, 12'345u);
  EXPECT_EQ(read.images[0].seed, ~uint64_t{0});
  EXPECT_EQ(read.images[0].width, 128);
  EXPECT_EQ(read.images[0].height, 96);
}

TEST_P(ResultStoreContract, ARecordOfNoEndIsRefused) {
  TerminalRecord record = TestRecord(1);
  record.state = job::State::kLeased;
  EXPECT_EQ(store_->CreateTerminal(record).status().code(), StatusCode::kInvalidArgument);
  record = TestRecord(1);
  record.id = "../x";
  EXPECT_EQ(store_->CreateTerminal(record).status().code(), StatusCode::kInvalidArgument);
  record = TestRecord(1);
  record.details.assign(1 << 20, 'x');
  EXPECT_EQ(store_->CreateTerminal(record).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->ReadTerminal(TestId(1)).status().code(), StatusCode::kNotFound);
}

TEST_P(ResultStoreContract, OfThirtyTwoWritersExactlyOneWins) {
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> winners = 0;
    std::vector<std::string> seen(32);
    std::vector<std::thread> threads;
    for (int i = 0; i < 32; ++i) {
      threads.emplace_back([&, i] {
        TerminalRecord record = TestRecord(round);
        record.nonce = "n" + std::to_string(i);
        record.state = i % 2 == 0 ? job::State::kDone : job::State::kCanceled;
        const StatusOr<TerminalRecord> stands = store_->CreateTerminal(record);
        if (!stands.ok()) return;
        seen[i] = stands->nonce;
        winners += stands->nonce == record.nonce;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
    for (const std::string& nonce : seen) EXPECT_EQ(nonce, seen[0]);
    EXPECT_EQ(store_->ReadTerminal(TestId(round))->nonce, seen[0]);
  }
}

}  // namespace phasor::storage
