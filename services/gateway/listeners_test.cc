#include "services/gateway/listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

std::vector<std::string> Names(const ListenWords& words) {
  std::vector<std::string> names;
  const auto listeners = PlanListeners(words);
  for (const Listener& listener : *listeners) {
    names.push_back(listener.name() + "@" + listener.address);
  }
  return names;
}

TEST(ListenersTest, OneAddressIsForAll) {
  EXPECT_EQ(Names({"127.0.0.1:1", "", ""}),
            (std::vector<std::string>{"clients+operators+workers@127.0.0.1:1"}));
  EXPECT_EQ(Names({"127.0.0.1:0", "", ""}).size(), 1u);
}

TEST(ListenersTest, EachAudienceMayHaveItsOwnAndTwoMayShareOne) {
  EXPECT_EQ(Names({"a:1", "a:2", "a:3"}),
            (std::vector<std::string>{"clients@a:1", "operators@a:2", "workers@a:3"}));
  EXPECT_EQ(Names({"a:1", "a:2", "a:2"}),
            (std::vector<std::string>{"clients@a:1", "operators+workers@a:2"}));
  EXPECT_EQ(Names({"a:0", "a:0", ""}),
            (std::vector<std::string>{"clients+workers@a:0", "operators@a:0"}));
}

TEST(ListenersTest, AListenerThatServesOneWhoNeedsACertificateAsksEverybody) {
  const auto shared = *PlanListeners({"a:1", "", "a:2", {"operators"}});
  EXPECT_TRUE(shared[0].client_certificates);
  EXPECT_FALSE(shared[1].client_certificates);
  const Status status = PlanListeners({"a:1", "", "", {"everybody"}}).status();
  EXPECT_THAT(Message(status), HasSubstr("'everybody' is none of clients, operators, workers"));
}

TEST(ListenersTest, KnowsWhatOnlyThisMachineReaches) {
  for (const std::string local :
       {"127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1", "unix:/a"}) {
    EXPECT_TRUE(IsLocal(local)) << local;
  }
  for (const std::string open : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "gateway:1", "[fe80::1]:1"}) {
    EXPECT_FALSE(IsLocal(open)) << open;
  }
}

Status Check(const ListenWords& words, const std::string& operations, bool credentials = false,
             bool insecure = false) {
  return CheckExposure({*PlanListeners(words), operations, credentials, insecure});
}

TEST(ListenersTest, WithoutCredentialsOnlyThisMachineIsServed) {
  EXPECT_TRUE(Check({"127.0.0.1:1", "", ""}, "127.0.0.1:2").ok());
  const Status status = Check({"127.0.0.1:1", "", "0.0.0.0:3"}, "off");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("the listener of workers 0.0.0.0:3"));
  EXPECT_THAT(Message(status), HasSubstr("--insecure permits it"));
  EXPECT_THAT(Message(Check({"127.0.0.1:1", "", ""}, "0.0.0.0:9464")),
              HasSubstr("the operations port 0.0.0.0:9464"));
}

TEST(ListenersTest, CredentialsCertificatesOrTheWordInsecurePermitIt) {
  EXPECT_TRUE(Check({"0.0.0.0:1", "", ""}, "0.0.0.0:2", true).ok());
  EXPECT_TRUE(Check({"0.0.0.0:1", "", ""}, "0.0.0.0:2", false, true).ok());
  EXPECT_TRUE(Check({"0.0.0.0:1", "", "", {"clients"}}, "0.0.0.0:2").ok());
  EXPECT_FALSE(Check({"0.0.0.0:1", "0.0.0.0:2", "", {"clients"}}, "off").ok());
}

}  // namespace
}  // namespace phasor::gateway
