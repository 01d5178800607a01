#include "services/cli/up/fleet_directory.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/link/address.h"

namespace phasor::cli {
namespace {

using ::testing::HasSubstr;

class FleetDirectoryTest : public ::testing::Test {
 protected:
  FleetDirectoryTest() { std::filesystem::remove_all(path_); }
  ~FleetDirectoryTest() override { std::filesystem::remove_all(path_); }

  const std::string path_ = ::testing::TempDir() + "/fleet_directory_test/fleet";
};

TEST_F(FleetDirectoryTest, IsMadeWithWhatBelongsIntoIt) {
  const auto directory = FleetDirectory::Claim(path_);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ(directory->path(), path_);
  for (const char* folder : {"cache", "logs", "redis", "store"}) {
    EXPECT_TRUE(std::filesystem::is_directory(path_ + "/" + folder)) << folder;
  }
}

TEST_F(FleetDirectoryTest, BelongsToOneFleetAtATimeAndSaysSo) {
  std::optional<FleetDirectory> first = *FleetDirectory::Claim(path_);
  const Status second = FleetDirectory::Claim(path_).status();
  EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(second), HasSubstr("a fleet runs in " + path_));
  EXPECT_THAT(Message(second), HasSubstr("--dir"));
  first.reset();
  EXPECT_TRUE(FleetDirectory::Claim(path_).ok());
}

TEST_F(FleetDirectoryTest, ARefusedClaimLeavesTheHoldersAddressesAlone) {
  const auto holder = FleetDirectory::Claim(path_);
  ASSERT_TRUE(holder->WriteAddresses({"127.0.0.1:1", "unix:/x"}).ok());
  EXPECT_FALSE(FleetDirectory::Claim(path_).ok());
  EXPECT_EQ(*ReadFile(AddressFile(path_), 1'000), "127.0.0.1:1\nunix:/x\n");
}

TEST_F(FleetDirectoryTest, TheAddressesGoWithTheFleet) {
  {
    FleetDirectory directory = *FleetDirectory::Claim(path_);
    ASSERT_TRUE(directory.WriteAddresses({"127.0.0.1:1"}).ok());
    const FleetDirectory moved = std::move(directory);
    EXPECT_TRUE(std::filesystem::exists(AddressFile(path_))) << "a move is no end";
  }
  EXPECT_FALSE(std::filesystem::exists(AddressFile(path_)));
}

TEST_F(FleetDirectoryTest, AFileInItsPlaceIsNamed) {
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
  std::ofstream(path_) << "not a directory";
  const Status status = FleetDirectory::Claim(path_).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr(path_));
}

}  // namespace
}  // namespace phasor::cli
