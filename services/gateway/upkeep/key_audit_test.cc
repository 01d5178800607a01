#include "services/gateway/upkeep/key_audit.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/access/memory/memory_key_store.h"

namespace phasor::gateway {
namespace {

TEST(KeyAuditTest, ALineSaysWhatWhoAndWhenAndNoSecret) {
  EXPECT_EQ(AuditLine(1, EntryOf({.made = true,
                                  .id = "mjs7kq2wexb3yha4",
                                  .name = "web",
                                  .tenant = "acme",
                                  .roles = "draw,read",
                                  .by = "alice@desk",
                                  .at_ms = 1'700'000'000'123})),
            R"({"audit":"key made","time":"2023-11-14T22:13:20.123Z","who":"alice@desk",)"
            R"("tenant":"acme","key":"mjs7kq2wexb3yha4","name":"web","roles":"draw,read"})");
}

TEST(KeyAuditTest, OfSeveralGatewaysOneWritesALineForEachChange) {
  const FakeClock clock;
  access::MemoryKeyStore keys;
  std::vector<std::string> lines;
  const auto add = [&](const std::string& line) { lines.push_back(line); };
  AuditLog logs[] = {AuditLog(add, &clock), AuditLog(add, &clock)};
  const auto made =
      access::MakeKey({.name = "n", .tenant = "a", .roles = {access::Role::kDraw}}, 1)->record;
  ASSERT_TRUE(keys.Add(made).ok());
  for (AuditLog& log : logs) EXPECT_TRUE(AuditKeyChanges(keys, log).ok());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], testing::HasSubstr("key made"));
  EXPECT_THAT(lines[0], testing::Not(testing::HasSubstr(made.hash)));
  ASSERT_TRUE(keys.Remove(made.id).ok());
  keys.FailWith(Unavailable("away"));
  EXPECT_FALSE(AuditKeyChanges(keys, logs[0]).ok());
  keys.FailWith(OkStatus());
  for (AuditLog& log : logs) EXPECT_TRUE(AuditKeyChanges(keys, log).ok());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[1], testing::HasSubstr("key revoked"));
}

}  // namespace
}  // namespace phasor::gateway
