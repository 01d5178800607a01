#include "services/cli/link/address.h"

#include <filesystem>
#include <fstream>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

using ::testing::ElementsAre;

Environment Of(std::map<std::string, std::string> values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

class AddressTest : public ::testing::Test {
 protected:
  AddressTest() {
    std::filesystem::create_directories(directory_);
    std::ofstream(AddressFile(directory_)) << "unix:/run/fleet.sock\n";
  }
  ~AddressTest() override { std::filesystem::remove_all(directory_); }

  const std::string directory_ = ::testing::TempDir() + "/address_test";
};

TEST_F(AddressTest, FlagGoesBeforeEnvironmentBeforeFleetBeforeDefault) {
  EXPECT_THAT(FindAddresses({"a:1"}, Of({{"PHASOR_ADDRESS", "b:2"}})), ElementsAre("a:1"));
  EXPECT_THAT(FindAddresses({}, Of({{"PHASOR_ADDRESS", "b:2"}, {"PHASOR_DIR", directory_}})),
              ElementsAre("b:2"));
  EXPECT_THAT(FindAddresses({}, Of({{"PHASOR_DIR", directory_}})),
              ElementsAre("unix:/run/fleet.sock"));
  EXPECT_THAT(FindAddresses({}, Of({{"PHASOR_DIR", directory_ + "/none"}})),
              ElementsAre("127.0.0.1:50051"));
}

TEST_F(AddressTest, SeveralGatewaysAreAListEverywhere) {
  EXPECT_THAT(FindAddresses({"a:1,b:2", "c:3", ""}, Of({})), ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_THAT(FindAddresses({","}, Of({{"PHASOR_ADDRESS", "a:1,,b:2,"}})),
              ElementsAre("a:1", "b:2"));
  std::ofstream(AddressFile(directory_)) << "a:1\nb:2\n";
  EXPECT_THAT(FindAddresses({}, Of({{"PHASOR_DIR", directory_}})), ElementsAre("a:1", "b:2"));
  EXPECT_EQ(AddressText({"a:1", "b:2"}), "a:1 and b:2");
}

TEST_F(AddressTest, TheKeyOfAFleetOnThisMachineGoesToNoOther) {
  const auto fleet = Of({{"PHASOR_DIR", directory_}});
  EXPECT_EQ(FindCredential("", {}, fleet), "");
  std::ofstream(OwnerKeyFile(directory_)) << "key";
  EXPECT_EQ(FindCredential("", {}, fleet), OwnerKeyFile(directory_));
  EXPECT_EQ(FindCredential("", {"a:1"}, fleet), "");
  EXPECT_EQ(FindCredential("", {}, Of({{"PHASOR_ADDRESS", "b:2"}, {"PHASOR_DIR", directory_}})),
            "");
  EXPECT_EQ(FindCredential("/mine", {"a:1"}, fleet), "/mine");
  EXPECT_EQ(FindCredential("", {}, Of({{"PHASOR_DIR", directory_ + "/none"}})), "");
}

TEST_F(AddressTest, TheAuthorityOfAFleetOnThisMachineVouchesForNoOther) {
  const auto fleet = Of({{"PHASOR_DIR", directory_}});
  std::filesystem::create_directories(directory_ + "/tls");
  std::ofstream(AuthorityFile(directory_)) << "authority";
  EXPECT_EQ(FindAuthorities({}, fleet), "") << "it speaks plain text";
  std::ofstream(AddressFile(directory_)) << "grpcs://127.0.0.1:1\n";
  EXPECT_EQ(FindAuthorities({}, fleet), AuthorityFile(directory_));
  EXPECT_EQ(FindAuthorities({"grpcs://a:1"}, fleet), "");
  EXPECT_EQ(
      FindAuthorities({}, Of({{"PHASOR_ADDRESS", "grpcs://b:2"}, {"PHASOR_DIR", directory_}})), "");
}

TEST_F(AddressTest, OperatorsMayBeServedElsewhere) {
  EXPECT_THAT(FindAdminAddresses({"a:1,b:2"}, Of({{"PHASOR_ADMIN_ADDRESS", "c:3"}})),
              ElementsAre("a:1", "b:2"));
  EXPECT_THAT(FindAdminAddresses({}, Of({{"PHASOR_ADMIN_ADDRESS", "c:3"}})), ElementsAre("c:3"));
  EXPECT_THAT(FindAdminAddresses({}, Of({})), ElementsAre());
}

TEST_F(AddressTest, FleetDirectoryFollowsTheUsualVariables) {
  EXPECT_EQ(DefaultFleetDirectory(Of({{"PHASOR_DIR", "/d"}, {"HOME", "/h"}})), "/d");
  EXPECT_EQ(DefaultFleetDirectory(Of({{"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}})), "/s/phasor");
  EXPECT_EQ(DefaultFleetDirectory(Of({{"HOME", "/h"}})), "/h/.local/state/phasor");
  EXPECT_EQ(DefaultFleetDirectory(Of({})), "phasor-data");
}

}  // namespace
}  // namespace phasor::cli
