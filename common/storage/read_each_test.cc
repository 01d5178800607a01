#include "common/storage/read_each.h"

#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace phasor::storage {
namespace {

std::vector<job::JobId> Ids(int count) {
  std::vector<job::JobId> ids;
  for (int i = 0; i < count; ++i) ids.push_back(std::to_string(i));
  return ids;
}

StatusOr<TerminalRecord> RecordOf(const job::JobId& id) {
  TerminalRecord record;
  record.id = id;
  return record;
}

TEST(ReadEachTest, AnswersInTheirOrderHoweverManyThreadsThereAre) {
  for (const size_t threads : {1, 3, 50}) {
    const auto answers = ReadEach(Ids(20), threads, RecordOf);
    ASSERT_EQ(answers.size(), 20u);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(answers[i]->id, std::to_string(i));
  }
  EXPECT_TRUE(ReadEach({}, 4, RecordOf).empty());
}

TEST(ReadEachTest, OneFailureIsItsOwn) {
  const auto answers = ReadEach(Ids(3), 2, [](const job::JobId& id) {
    return id == "1" ? StatusOr<TerminalRecord>(DataLoss("broken")) : RecordOf(id);
  });
  EXPECT_TRUE(answers[0].ok());
  EXPECT_EQ(answers[1].status().code(), StatusCode::kDataLoss);
  EXPECT_TRUE(answers[2].ok());
}

TEST(ReadEachTest, SeveralAreReadAtATime) {
  std::atomic<int> together = 0;
  const auto answers = ReadEach(Ids(4), 4, [&](const job::JobId& id) {
    ++together;
    while (together < 4) std::this_thread::yield();  // for ever if one waited for another's end
    return RecordOf(id);
  });
  EXPECT_EQ(answers.size(), 4u);
}

}  // namespace
}  // namespace phasor::storage
