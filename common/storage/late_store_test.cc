#include "common/storage/late_store.h"

#include <gtest/gtest.h>

#include "common/storage/memory_store.h"
#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

TEST(LateStoreTest, IsOpenedByTheFirstCallThatFindsItAndThenOnce) {
  Status there = Unavailable("nobody listens");
  int opened = 0;
  LateStore store([&]() -> StatusOr<std::unique_ptr<ResultStore>> {
    RETURN_IF_ERROR(there);
    ++opened;
    return std::make_unique<MemoryStore>();
  });
  EXPECT_EQ(store.Put("k", "v"), there);
  EXPECT_EQ(store.Get("k").status(), there);
  EXPECT_EQ(store.Delete("k"), there);
  EXPECT_EQ(store.List("k", "", 1).status(), there);
  EXPECT_EQ(store.CreateTerminal({}).status(), there);
  EXPECT_EQ(store.CreateOnce("k", "v").status(), there);
  const auto answers = store.ReadTerminals({"a", "b"});
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].status(), there);
  there = FailedPrecondition("no such bucket");
  EXPECT_EQ(store.Get("k").status(), there);
  there = OkStatus();
  EXPECT_TRUE(store.Put("k", "v").ok());
  EXPECT_EQ(store.Get("k").value(), "v");
  EXPECT_EQ(opened, 1);
}

}  // namespace
}  // namespace phasor::storage
