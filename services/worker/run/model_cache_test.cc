#include "services/worker/run/model_cache.h"

#include <filesystem>
#include <fstream>

#include "engine/fake/fake_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The fake engine, but memory suffices for a bounded number of models.
class SmallEngine final : public engine::Engine {
 public:
  StatusOr<std::shared_ptr<engine::Model>> Load(const std::string& directory,
                                                const engine::LoadProgress& on_part) override {
    ++loads;
    if (room == 0) return ResourceExhausted("out of memory");
    std::erase_if(held_, [](const auto& model) { return model.expired(); });
    if (held_.size() >= room) return ResourceExhausted("out of memory");
    auto model = fake_->Load(directory, on_part);
    if (model.ok()) held_.push_back(*model);
    return model;
  }
  std::string Versions() const override { return "small"; }

  size_t room = 100;
  int loads = 0;

 private:
  std::unique_ptr<engine::Engine> fake_ = engine::MakeFakeEngine();
  std::vector<std::weak_ptr<engine::Model>> held_;
};

class ModelCacheTest : public ::testing::Test {
 protected:
  ModelCacheTest() {
    for (const char* name : {"a", "b", "c"}) {
      config::ModelCard card;
      card.name = name;
      card.directory = ::testing::TempDir() + "/model_cache_test_" + name;
      std::filesystem::create_directories(card.directory);
      std::ofstream(card.directory + "/model_index.json") << "{}";
      cards_.push_back(card);
    }
  }
  ModelCache Make(size_t max_resident) {
    return ModelCache(engine_, cards_, {.models = max_resident}, clock_, metrics_, memory_);
  }

  FakeClock clock_;
  metrics::Registry registry_;
  WorkerMetrics metrics_{registry_};
  MemoryMetrics memory_{registry_};
  SmallEngine engine_;
  std::vector<config::ModelCard> cards_;
};

TEST_F(ModelCacheTest, LoadsOnceAndKeepsTheMostRecentlyUsed) {
  ModelCache cache = Make(2);
  for (const char* name : {"a", "b", "a", "c"}) ASSERT_TRUE(cache.Get(name).ok());
  EXPECT_EQ(engine_.loads, 3);
  EXPECT_THAT(cache.Resident(), ElementsAre("c", "a"));
}

TEST_F(ModelCacheTest, SaysWhatIsLoadedPartByPartAndNothingWhenNothingIs) {
  ModelCache cache = Make(1);
  int parts = 0;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(cache.Get("a", [&](std::string_view) { ++parts; }).ok());
    EXPECT_EQ(parts, engine::kFakeModelParts);
  }
}

TEST_F(ModelCacheTest, AModelThatRunsOutlivesItsEntry) {
  ModelCache cache = Make(1);
  const auto running = *cache.Get("a");
  ASSERT_TRUE(cache.Get("b").ok());
  EXPECT_THAT(cache.Resident(), ElementsAre("b"));
  EXPECT_EQ(running->info().family, "fake");
}

TEST_F(ModelCacheTest, IdleModelsGoWhenMemoryDoesNotSuffice) {
  engine_.room = 2;
  ModelCache cache = Make(3);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(cache.Get(name).ok()) << name;
  EXPECT_THAT(cache.Resident(), ElementsAre("c"));
}

TEST_F(ModelCacheTest, SaysWhichModelAndWhyItCanNotBeHad) {
  ModelCache cache = Make(2);
  EXPECT_EQ(cache.Get("d").status().code(), StatusCode::kNotFound);
  engine_.room = 0;
  const Status status = cache.Get("a").status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(status), ::testing::HasSubstr("model a can't be loaded"));
  EXPECT_THAT(cache.Resident(), IsEmpty());
}

TEST_F(ModelCacheTest, MakesRoomForOneModel) {
  ModelCache cache = Make(3);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(cache.Get(name).ok());
  cache.KeepOnly("b");
  EXPECT_THAT(cache.Resident(), ElementsAre("b"));
  cache.KeepOnly("d");
  EXPECT_THAT(cache.Resident(), IsEmpty());
}

}  // namespace
}  // namespace phasor::worker
