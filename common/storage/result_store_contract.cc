#include "common/storage/result_store_contract.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "common/base/clock.h"
#include "common/storage/identity.h"

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
  record.tenant = "tenant \"1\"";
  record.model = "phasor demo";
  record.accepted_ms = 1'700'000'000'001;
  record.started_ms = 1'700'000'000'050;
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
  for (const std::string key : {"jobs/a/x", "jobs/a/r/1", "jobs/abc/x", "jobs/a#2/x", "other/a"}) {
    ASSERT_TRUE(store_->Put(key, "v").ok());
  }
  std::vector<std::string> keys = ListKeys(*store_, "jobs/a").value();
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys, (std::vector<std::string>{"jobs/a/r/1", "jobs/a/x"}));
  EXPECT_EQ(ListKeys(*store_, "jobs/a#2").value(), std::vector<std::string>{"jobs/a#2/x"});
  EXPECT_EQ(ListKeys(*store_, "jobs")->size(), 4u);
  EXPECT_TRUE(ListKeys(*store_, "nothing/here")->empty());
  EXPECT_TRUE(ListKeys(*store_, "jobs/a/x")->empty()) << "a key is not below itself";
}

TEST_P(ResultStoreContract, PagesMeetEachKeyOnceAndKeepAJobTogether) {
  std::set<std::string> expected;
  for (int job = 0; job < 4; ++job) {
    // Generations of one job have names that sort among each other's objects.
    for (const std::string& id : {TestId(job), TestId(job) + "#2", TestId(job) + "#10"}) {
      for (int i = 0; i < 3; ++i) expected.insert(BlobKey(id, i, "nonce", 0));
      expected.insert(CheckpointKey(id, 1, 4));
    }
  }
  for (const std::string& key : expected) ASSERT_TRUE(store_->Put(key, "v").ok());
  for (const int limit : {1, 5, 7, 48, 1000}) {
    std::vector<std::string> met;
    std::string cursor;
    do {
      const ListPage page = store_->List("jobs", cursor, limit).value();
      ASSERT_LE(page.objects.size(), static_cast<size_t>(limit));
      for (const StoredObject& object : page.objects) met.push_back(object.key);
      cursor = page.next;
      ASSERT_LE(met.size(), expected.size());
    } while (!cursor.empty());
    EXPECT_EQ(met.size(), expected.size()) << limit;
    EXPECT_EQ(std::set<std::string>(met.begin(), met.end()), expected) << limit;
    std::vector<std::string> order;
    for (const std::string& key : met) {
      const std::string id = ParseJobKey(key)->id;
      if (order.empty() || order.back() != id) order.push_back(id);
    }
    EXPECT_EQ(order.size(), 12u) << "the objects of a job follow one another";
  }
}

TEST_P(ResultStoreContract, WhatIsDeletedDuringAWalkDisturbsNoOther) {
  std::set<std::string> left;
  for (int i = 0; i < 20; ++i) left.insert(BlobKey(TestId(i), 1, "n", 0));
  for (const std::string& key : left) ASSERT_TRUE(store_->Put(key, "v").ok());
  std::string cursor;
  do {
    const ListPage page = store_->List("jobs", cursor, 3).value();
    for (const StoredObject& object : page.objects) {
      EXPECT_EQ(left.erase(object.key), 1u) << object.key;
      ASSERT_TRUE(store_->Delete(object.key).ok());
    }
    cursor = page.next;
  } while (!cursor.empty());
  EXPECT_TRUE(left.empty());
  EXPECT_TRUE(ListKeys(*store_, "jobs")->empty());
}

TEST_P(ResultStoreContract, AListingTellsWhenAnObjectWasLastWritten) {
  // The store's clock may be another machine's; S3 counts whole seconds.
  constexpr int64_t kTolerance = 60'000;
  const SystemClock clock;
  ASSERT_TRUE(store_->Put("a/blob", "v").ok());
  ASSERT_TRUE(store_->CreateTerminal(TestRecord(1)).ok());
  const int64_t now = clock.WallMillis();
  for (const std::string prefix : {"a", "jobs"}) {
    const ListPage page = store_->List(prefix, "", 10).value();
    ASSERT_EQ(page.objects.size(), 1u) << prefix;
    EXPECT_NEAR(static_cast<double>(page.objects[0].modified_ms), static_cast<double>(now),
                kTolerance);
  }
}

TEST_P(ResultStoreContract, PagesOfNoSizeAreRefused) {
  for (const int limit : {0, -1, kMaxListPage + 1}) {
    EXPECT_EQ(store_->List("jobs", "", limit).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST_P(ResultStoreContract, HostileButLegalKeysAreKeptApart) {
  const std::vector<std::string> keys = {
      "k#",
      "k#2",
      "k",
      "k.",
      "k-",
      "k_",
      "K",
      "..k",
      "a/..b",
      "a/.",
      "%",
      "-",
      "...",
      "a/#",
      "a/##",
      "a/terminal",
      "jobs/x/terminal2",
      "jobs/terminal",
      "a/-rf",
      "a/--",
      std::string(200, 'a'),
      std::string(200, 'z') + "/" + std::string(200, 'b') + "/" + std::string(100, 'c')};
  std::map<std::string, std::string> put;
  for (const std::string& key : keys) {
    if (!IsLegalKey(key)) continue;
    put[key] = "of " + key;
    ASSERT_TRUE(store_->Put(key, put[key]).ok()) << key;
  }
  EXPECT_GE(put.size(), 18u);
  for (const auto& [key, bytes] : put) EXPECT_EQ(store_->Get(key).value(), bytes) << key;
  EXPECT_EQ(ListKeys(*store_, "a")->size(), 6u);
  for (const auto& [key, bytes] : put) ASSERT_TRUE(store_->Delete(key).ok());
  for (const auto& [key, bytes] : put) EXPECT_FALSE(store_->Get(key).ok()) << key;
}

TEST_P(ResultStoreContract, APrefixIsNoObject) {
  ASSERT_TRUE(store_->Put("a/b/c", "v").ok());
  EXPECT_EQ(store_->Get("a/b").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(store_->Delete("a/b").ok());
  EXPECT_EQ(store_->Get("a/b/c").value(), "v");
}

TEST_P(ResultStoreContract, LargeBlobsComeBackWhole) {
  std::string bytes(3'000'000, '\0');
  uint32_t state = 1;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  ASSERT_TRUE(store_->Put("large", bytes).ok());
  EXPECT_TRUE(store_->Get("large").value() == bytes);
}

TEST_P(ResultStoreContract, ARecordIsAnObjectThatIsNeverOverwritten) {
  const TerminalRecord record = TestRecord(1);
  const std::string key = TerminalKey(record.id);
  EXPECT_EQ(store_->Put(key, "forged").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->ReadTerminal(record.id).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(store_->CreateTerminal(record).ok());
  EXPECT_EQ(store_->Put(key, "forged").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ListKeys(*store_, "jobs/" + record.id).value(), std::vector<std::string>{key});
  ASSERT_TRUE(store_->Delete(key).ok());
  EXPECT_EQ(store_->ReadTerminal(record.id).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(ListKeys(*store_, "jobs/" + record.id)->empty());
}

TEST_P(ResultStoreContract, WhoRepeatsAfterALostAnswerRecognisesItsOwnRecord) {
  const TerminalRecord mine = TestRecord(1);
  ASSERT_TRUE(store_->CreateTerminal(mine).ok());
  const TerminalRecord stands = store_->CreateTerminal(mine).value();
  EXPECT_EQ(stands.epoch, mine.epoch);
  EXPECT_EQ(stands.nonce, mine.nonce);
}

TEST_P(ResultStoreContract, GenerationsOfAJobHaveRecordsOfTheirOwn) {
  const TerminalRecord first = TestRecord(1);
  TerminalRecord second = TestRecord(1);
  second.id += "#2";
  second.nonce = "second";
  ASSERT_TRUE(store_->CreateTerminal(first).ok());
  EXPECT_EQ(store_->ReadTerminal(second.id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store_->CreateTerminal(second)->nonce, "second");
  EXPECT_EQ(store_->ReadTerminal(first.id)->nonce, "nonce");
}

TEST_P(ResultStoreContract, ManyThreadsReadTheirOwnWrites) {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string key = "t/" + std::to_string(t) + "/" + std::to_string(i);
        const std::string bytes(1 + i * 1000, static_cast<char>('a' + t));
        if (!store_->Put(key, bytes).ok()) ++wrong;
        const StatusOr<std::string> read = store_->Get(key);
        if (!read.ok() || *read != bytes) ++wrong;
        if (i % 2 == 0 && !store_->Delete(key).ok()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ListKeys(*store_, "t")->size(), 40u);
}

TEST_P(ResultStoreContract, IllegalKeysAreRefused) {
  for (const std::string& key :
       {std::string(), std::string("/etc/passwd"), std::string("a/../b"), std::string("a//b"),
        std::string("a/"), std::string("."), std::string("a\0b", 3), std::string("a b"),
        std::string("a.tmp-x"), std::string("é"), std::string(201, 'a'), std::string(513, 'a')}) {
    EXPECT_EQ(store_->Put(key, "v").code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->Get(key).status().code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->Delete(key).code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->List(key, "", 10).status().code(), StatusCode::kInvalidArgument) << key;
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
  EXPECT_EQ(read.tenant, first.tenant);
  EXPECT_EQ(read.model, first.model);
  EXPECT_EQ(read.accepted_ms, first.accepted_ms);
  EXPECT_EQ(read.started_ms, first.started_ms);
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

TEST_P(ResultStoreContract, ManyRecordsAreReadInOneCallEachForItself) {
  std::vector<job::JobId> ids;
  for (int n = 0; n < 70; ++n) {
    ids.push_back(TestId(n));
    if (n % 3 == 0) {
      ASSERT_TRUE(store_->CreateTerminal(TestRecord(n)).ok());
    }
  }
  ids.emplace_back("../x");
  ids.push_back(TestId(3));  // again
  const auto records = store_->ReadTerminals(ids);
  ASSERT_EQ(records.size(), ids.size());
  for (int n = 0; n < 70; ++n) {
    EXPECT_EQ(records[n].status().code(), n % 3 == 0 ? StatusCode::kOk : StatusCode::kNotFound);
    if (n % 3 == 0) {
      EXPECT_EQ(records[n]->id, TestId(n));
    }
  }
  EXPECT_EQ(records[70].status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(records[71]->id, TestId(3));
  EXPECT_TRUE(store_->ReadTerminals({}).empty());
}

TEST_P(ResultStoreContract, WhatIsCreatedOnceStandsAndIsNotOverwritten) {
  EXPECT_EQ(store_->CreateOnce("once", "first").value(), "first");
  EXPECT_EQ(store_->CreateOnce("once", "second").value(), "first");
  EXPECT_EQ(store_->Get("once").value(), "first");
  EXPECT_EQ(store_->CreateOnce("../x", "v").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->CreateOnce(TerminalKey(TestId(1)), "forged").status().code(),
            StatusCode::kInvalidArgument);
}

TEST_P(ResultStoreContract, AStoreHasOneIdentityWhoeverAsksFirst) {
  EXPECT_EQ(ReadIdentity(*store_).status().code(), StatusCode::kNotFound);
  std::vector<std::string> seen(8);
  std::vector<std::thread> threads;
  for (std::string& id : seen) {
    threads.emplace_back([&] { id = Identify(*store_, "").value_or(""); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(seen[0].empty());
  for (const std::string& id : seen) EXPECT_EQ(id, seen[0]);
  EXPECT_EQ(ReadIdentity(*store_).value(), seen[0]);
  EXPECT_EQ(Identify(*store_, seen[0]).value(), seen[0]);
  EXPECT_EQ(store_->Put(kIdentityKey, "forged").code(), StatusCode::kInvalidArgument);
}

TEST_P(ResultStoreContract, AnotherStoreThanTheRememberedOneIsRefusedAndGetsNoIdentity) {
  EXPECT_EQ(Identify(*store_, "remembered").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadIdentity(*store_).status().code(), StatusCode::kNotFound) << "nothing was written";
  const std::string id = Identify(*store_, "").value();
  const Status other = Identify(*store_, "remembered").status();
  EXPECT_EQ(other.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(Message(other).find(id), std::string::npos) << other;
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

TEST_P(ResultStoreContract, OfManyWritersOneWinsAndAllReadIt) {
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
        if (!stands.ok()) return;  // seen[i] stays empty, which fails below
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
