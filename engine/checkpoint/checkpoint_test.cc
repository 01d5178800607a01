#include "engine/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "common/base/hash.h"

namespace phasor::engine {
namespace {

constexpr size_t kDigestBytes = 32;

Checkpoint Sample() {
  Checkpoint checkpoint;
  checkpoint.fingerprint = "f00d";
  checkpoint.step = 7;
  checkpoint.counters = {{"counter", 3}, {"order", -1}};
  checkpoint.tensors["latents"] = {CheckpointDtype::kF32, {1, 2, 1}, std::string(8, '\x3f')};
  checkpoint.tensors["rng"] = {CheckpointDtype::kU8, {5}, "abcde"};
  checkpoint.tensors["scalar"] = {CheckpointDtype::kF64, {}, std::string(8, '\1')};
  return checkpoint;
}

CheckpointExpectation Expected() {
  return {.fingerprint = "f00d", .max_bytes = 4096, .max_step = 20};
}

// Recomputes length and digest: what somebody who forges a checkpoint would do.
std::string Seal(std::string bytes) {
  bytes.resize(bytes.size() - kDigestBytes);
  const uint64_t total = bytes.size() + kDigestBytes;
  std::memcpy(bytes.data() + 16, &total, sizeof(total));
  const Digest digest = Sha256Of(bytes);
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return bytes;
}

TEST(CheckpointTest, ComesBackAsItWasWritten) {
  const StatusOr<Checkpoint> read = ReadCheckpoint(WriteCheckpoint(Sample()), Expected());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->step, 7u);
  EXPECT_EQ(read->counters, Sample().counters);
  ASSERT_EQ(read->tensors.size(), 3u);
  EXPECT_EQ(read->tensors.at("latents").shape, (std::vector<int64_t>{1, 2, 1}));
  EXPECT_EQ(WriteCheckpoint(*read), WriteCheckpoint(Sample()));
}

TEST(CheckpointTest, RefusesEveryTruncation) {
  const std::string whole = WriteCheckpoint(Sample());
  for (size_t size = 0; size < whole.size(); ++size) {
    const Status status = ReadCheckpoint(whole.substr(0, size), Expected()).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << size << ": " << status;
  }
}

TEST(CheckpointTest, SurvivesEveryTruncationWithAForgedDigest) {
  const std::string whole = WriteCheckpoint(Sample());
  for (size_t size = 24 + kDigestBytes; size < whole.size(); ++size) {
    EXPECT_FALSE(ReadCheckpoint(Seal(whole.substr(0, size)), Expected()).ok()) << size;
  }
}

TEST(CheckpointTest, RefusesEveryFlippedBit) {
  const std::string whole = WriteCheckpoint(Sample());
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(ReadCheckpoint(flipped, Expected()).status().code(), StatusCode::kDataLoss) << bit;
  }
}

// A forger's digest is right, so the parser itself must stand: no crash, no large allocation.
TEST(CheckpointTest, SurvivesEveryByteForged) {
  const std::string whole = WriteCheckpoint(Sample());
  for (size_t at = 24; at + kDigestBytes < whole.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::string forged = whole;
      forged[at] = static_cast<char>(value);
      const StatusOr<Checkpoint> read = ReadCheckpoint(Seal(forged), Expected());
      if (!read.ok()) continue;
      EXPECT_EQ(WriteCheckpoint(*read), Seal(forged)) << at;
    }
  }
}

TEST(CheckpointTest, RefusesWhatItDoesNotExpect) {
  struct Case {
    const char* what;
    std::function<void(Checkpoint*, CheckpointExpectation*)> change;
    StatusCode code;
    const char* text;
  };
  const Case cases[] = {
      {"another fingerprint", [](auto* c, auto*) { c->fingerprint = "beef"; },
       StatusCode::kFailedPrecondition, "another run"},
      {"a step past the end", [](auto* c, auto*) { c->step = 21; }, StatusCode::kDataLoss,
       "step 21 of 20"},
      {"more bytes than the run needs", [](auto*, auto* e) { e->max_bytes = 100; },
       StatusCode::kDataLoss, "at most 100"},
      {"a tensor without its values", [](auto* c, auto*) { c->tensors["rng"].bytes.clear(); },
       StatusCode::kDataLoss, "malformed"},
      {"a tensor larger than memory",
       [](auto* c, auto*) {
         c->tensors["rng"].shape = {INT64_MAX, INT64_MAX};
       },
       StatusCode::kDataLoss, "malformed"},
      {"a negative dimension", [](auto* c, auto*) { c->tensors["rng"].shape = {-5}; },
       StatusCode::kDataLoss, "malformed"},
      {"an unknown dtype",
       [](auto* c, auto*) { c->tensors["rng"].dtype = static_cast<CheckpointDtype>(9); },
       StatusCode::kDataLoss, "malformed"},
      {"too many dimensions",
       [](auto* c, auto*) { c->tensors["rng"].shape = std::vector<int64_t>(9, 1); },
       StatusCode::kDataLoss, "malformed"},
      {"a name of a kilobyte", [](auto* c, auto*) { c->counters[std::string(1024, 'x')] = 1; },
       StatusCode::kDataLoss, "malformed"},
  };
  for (const Case& test : cases) {
    Checkpoint checkpoint = Sample();
    CheckpointExpectation expected = Expected();
    test.change(&checkpoint, &expected);
    const Status status = ReadCheckpoint(WriteCheckpoint(checkpoint), expected).status();
    EXPECT_EQ(status.code(), test.code) << test.what << ": " << status;
    EXPECT_NE(Message(status).find(test.text), std::string::npos) << test.what << ": " << status;
  }
}

TEST(CheckpointTest, RefusesAnotherVersion) {
  std::string bytes = WriteCheckpoint(Sample());
  bytes[8] = 2;
  const Status status = ReadCheckpoint(Seal(bytes), Expected()).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(Message(status).find("version 2"), std::string::npos) << status;
}

}  // namespace
}  // namespace phasor::engine
