#include "services/gateway/flow/picture_cache.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"
#include "services/gateway/watch/picture_feed.h"

namespace phasor::gateway {
namespace {

class CountingStore final : public FaultyStore {
 public:
  using FaultyStore::FaultyStore;
  std::atomic<int> reads = 0;
  StatusOr<std::string> Get(const std::string& key) override {
    ++reads;
    return FaultyStore::Get(key);
  }
};

class PictureCacheTest : public testing::Test {
 protected:
  ~PictureCacheTest() override { pool_.Stop(); }

  storage::ResultImage Store(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(fleet_.store.Put("jobs/" + name, bytes).ok());
    return {.blob = "jobs/" + name, .sha256 = Sha256Hex(bytes), .bytes = bytes.size()};
  }
  // What came, once it has come.
  struct Load {
    absl::Notification came;
    StatusOr<PictureCache::Picture> picture = Unavailable("nothing yet");
  };
  std::unique_ptr<Load> Begin(const storage::ResultImage& image) {
    auto load = std::make_unique<Load>();
    cache_.Load(image, [load = load.get()](const StatusOr<PictureCache::Picture>& picture) {
      load->picture = picture;
      load->came.Notify();
    });
    return load;
  }
  static StatusOr<PictureCache::Picture> Wait(std::unique_ptr<Load> load) {
    load->came.WaitForNotification();
    return std::move(load->picture);
  }

  // The bytes once the pool's thread has let go of what it handed on.
  uint64_t Bytes() {
    absl::Notification idle;
    EXPECT_TRUE(pool_.TryPost([&] { idle.Notify(); }));
    idle.WaitForNotification();
    return cache_.bytes();
  }

  MemoryFleet fleet_;
  metrics::Registry metrics_;
  CountingStore store_{&fleet_.store};
  JobReader reader_{&fleet_.queue, &store_};
  WorkPool pool_{{.threads = 1, .max_queued = 100}, &metrics_};
  PictureCache cache_{{&reader_, &pool_, &metrics_}, 100};
};

TEST_F(PictureCacheTest, OneReadServesAllWhoHoldIt) {
  const auto image = Store("a", std::string(60, 'a'));
  std::vector<StatusOr<PictureCache::Picture>> held;
  for (int i = 0; i < 40; ++i) held.push_back(Wait(Begin(image)));
  EXPECT_EQ(store_.reads, 1);
  EXPECT_EQ(Bytes(), 60u);
  for (const auto& picture : held) EXPECT_EQ(**picture, std::string(60, 'a'));
  held.clear();
  EXPECT_EQ(Bytes(), 0u);
  EXPECT_TRUE(Wait(Begin(image)).ok());
  EXPECT_EQ(store_.reads, 2) << "nobody held it any more";
}

TEST_F(PictureCacheTest, WhatDoesNotFitWaitsInTheOrderOfAsking) {
  auto first = *Wait(Begin(Store("a", std::string(60, 'a'))));
  auto second = Begin(Store("b", std::string(60, 'b')));
  auto third = Begin(Store("c", std::string(10, 'c')));
  auto alone = Begin(Store("d", std::string(500, 'd')));
  EXPECT_FALSE(second->came.HasBeenNotified());
  EXPECT_FALSE(third->came.HasBeenNotified()) << "a small one would starve the large";
  EXPECT_LE(Bytes(), 100u);
  first.reset();
  auto b = *Wait(std::move(second));
  auto c = *Wait(std::move(third));
  EXPECT_LE(Bytes(), 100u);
  EXPECT_FALSE(alone->came.HasBeenNotified());
  b.reset();
  c.reset();
  EXPECT_EQ((*Wait(std::move(alone)))->size(), 500u) << "above the budget, so alone";
  EXPECT_EQ(Bytes(), 0u);
}

TEST_F(PictureCacheTest, AFailureHoldsNothingAndIsToldToAllWhoWait) {
  auto image = Store("a", "picture");
  image.sha256 = Sha256Hex("another");
  auto first = Begin(image);
  auto second = Begin(image);
  EXPECT_EQ(Wait(std::move(first)).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Wait(std::move(second)).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Wait(Begin({.blob = "jobs/none", .sha256 = "", .bytes = 90})).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(Bytes(), 0u);
}

TEST_F(PictureCacheTest, AFeedCutsAllPicturesOfAJobInOrder) {
  queue::SubmitRequest request;
  request.id = job::MakeJobId("secret", "", "k");
  request.model = "demo";
  ASSERT_TRUE(fleet_.queue.Submit(request).ok());
  const std::vector<std::string> pictures = {std::string(600'000, 'a'), "", "small"};
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), pictures).ok());
  const auto feed = std::make_shared<PictureFeed>(PictureFeed::Parts{&reader_, &cache_, &pool_},
                                                  request.id, std::nullopt, job::Caller{});
  std::vector<std::string> got;
  for (bool more = true; more;) {
    absl::Notification came;
    feed->Next([&](StatusOr<std::optional<v1::ResultChunk>> chunk) {
      ASSERT_TRUE(chunk.ok()) << chunk.status();
      more = chunk->has_value();
      if (more) {
        if ((*chunk)->has_image()) got.emplace_back();
        EXPECT_EQ((*chunk)->offset(), static_cast<int64_t>(got.back().size()));
        got.back() += (*chunk)->data();
      }
      came.Notify();
    });
    came.WaitForNotification();
  }
  EXPECT_EQ(got, pictures);
  EXPECT_EQ(Bytes(), 0u);
}

}  // namespace
}  // namespace phasor::gateway
