#include "common/access/authenticator.h"

#include <gtest/gtest.h>

#include "common/access/memory/memory_key_store.h"

namespace phasor::access {
namespace {

class AuthenticatorTest : public testing::Test {
 protected:
  std::string Make(const std::string& tenant, int64_t lifetime_ms = 0) {
    const int64_t now = clock_.WallMillis();
    const MadeKey made = *MakeKey({.name = "n",
                                   .tenant = tenant,
                                   .roles = {Role::kDraw},
                                   .expires_ms = lifetime_ms == 0 ? 0 : now + lifetime_ms},
                                  now);
    EXPECT_TRUE(store_.Add(made.record).ok());
    return made.key;
  }
  Trouble TroubleOf(const std::string& header) { return authenticator_.Check(header).trouble; }

  FakeClock clock_;
  MemoryKeyStore store_;
  Authenticator authenticator_{{.keys = &store_, .tokens = nullptr, .clock = &clock_}};
};

TEST_F(AuthenticatorTest, AGoodKeyIsItsTenant) {
  const std::string key = Make("a");
  ASSERT_TRUE(authenticator_.Refresh().ok());
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER  "}) {
    const Judged judged = authenticator_.Check(scheme + key);
    ASSERT_EQ(judged.trouble, Trouble::kNone);
    EXPECT_EQ(judged.identity->tenant, "a");
    EXPECT_TRUE(authenticator_.Holds(judged));
  }
}

TEST_F(AuthenticatorTest, KnowsWhatIsWrongWithTheOthers) {
  const std::string key = Make("a");
  const std::string brief = Make("a", 1000);
  const std::string foreign = MakeKey({.name = "", .tenant = "a", .roles = {Role::kDraw}}, 1)->key;
  std::string wrong = key;
  wrong[30] = wrong[30] == 'a' ? 'b' : 'a';
  ASSERT_TRUE(authenticator_.Refresh().ok());
  EXPECT_EQ(TroubleOf(""), Trouble::kMissing);
  EXPECT_EQ(TroubleOf(key), Trouble::kMalformed);
  EXPECT_EQ(TroubleOf("Basic " + key), Trouble::kMalformed);
  EXPECT_EQ(TroubleOf("Bearer "), Trouble::kMalformed);
  EXPECT_EQ(TroubleOf("Bearer nonsense"), Trouble::kMalformed);
  EXPECT_EQ(TroubleOf("Bearer " + foreign), Trouble::kUnknown);
  EXPECT_EQ(TroubleOf("Bearer " + wrong), Trouble::kWrong);
  EXPECT_EQ(TroubleOf("Bearer " + brief), Trouble::kNone);
  clock_.Advance(Millis(1000));
  EXPECT_EQ(TroubleOf("Bearer " + brief), Trouble::kOver);
}

TEST_F(AuthenticatorTest, ARevokedKeyHoldsNoLongerAfterTheNextRefresh) {
  const std::string key = Make("a");
  ASSERT_TRUE(authenticator_.Refresh().ok());
  const Judged judged = authenticator_.Check("Bearer " + key);
  ASSERT_TRUE(store_.Remove(judged.key_id).ok());
  ASSERT_TRUE(authenticator_.Refresh().ok());
  EXPECT_FALSE(authenticator_.Holds(judged));
  EXPECT_EQ(TroubleOf("Bearer " + key), Trouble::kUnknown);
}

TEST_F(AuthenticatorTest, AKeyThatRanOutHoldsNoLonger) {
  const std::string key = Make("a", 1000);
  ASSERT_TRUE(authenticator_.Refresh().ok());
  const Judged judged = authenticator_.Check("Bearer " + key);
  EXPECT_TRUE(authenticator_.Holds(judged));
  clock_.Advance(Millis(1000));
  EXPECT_FALSE(authenticator_.Holds(judged));
}

TEST_F(AuthenticatorTest, WhileTheStoreIsAwayTheKeysStayAsTheyWere) {
  const std::string key = Make("a");
  store_.FailWith(Unavailable("away"));
  EXPECT_FALSE(authenticator_.Refresh().ok());
  EXPECT_EQ(TroubleOf("Bearer " + key), Trouble::kUnavailable) << "never read";
  store_.FailWith(OkStatus());
  ASSERT_TRUE(authenticator_.Refresh().ok());
  store_.FailWith(Unavailable("away"));
  EXPECT_FALSE(authenticator_.Refresh().ok());
  EXPECT_EQ(TroubleOf("Bearer " + key), Trouble::kNone);
}

TEST(AuthenticatorTestWithoutKeys, NobodyNeedsACredential) {
  const FakeClock clock;
  EXPECT_FALSE(Authenticator({.keys = nullptr, .tokens = nullptr, .clock = &clock}).required());
}

}  // namespace
}  // namespace phasor::access
