#include "services/cli/up/fleet_keys.h"

#include <gtest/gtest.h>

#include "common/access/authenticator.h"
#include "common/access/stores/file_key_store.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "services/cli/link/address.h"

namespace phasor::cli {
namespace {

using access::Role;

TEST(FleetKeysTest, OwnerAndWorkersHaveAKeyEachThatTheGatewaysKnowAndThatStays) {
  const std::string directory = ::testing::TempDir() + "fleet-keys-" + RandomToken();
  ASSERT_TRUE(MakeDirectories(directory).ok());
  ASSERT_TRUE(MakeFleetKeys(directory).ok());
  const std::string owner = *ReadFile(OwnerKeyFile(directory), 1000);
  ASSERT_TRUE(MakeFleetKeys(directory).ok());
  EXPECT_EQ(*ReadFile(OwnerKeyFile(directory), 1000), owner);

  access::FileKeyStore store(KeysFile(directory));
  const SystemClock clock;
  access::Authenticator gateway({.keys = &store, .tokens = nullptr, .clock = &clock});
  ASSERT_TRUE(gateway.Refresh().ok());
  const auto roles_of = [&](const std::string& file) {
    std::string key = *ReadFile(file, 1000);
    if (key.ends_with('\n')) key.pop_back();
    const access::Judged judged = gateway.Check("Bearer " + key);
    return judged.identity == nullptr ? access::RoleSet{} : judged.identity->roles;
  };
  EXPECT_EQ(roles_of(OwnerKeyFile(directory)),
            (access::RoleSet{Role::kDraw, Role::kRead, Role::kOperate}));
  EXPECT_EQ(roles_of(WorkerKeyFile(directory)), access::RoleSet{Role::kWork});
}

}  // namespace
}  // namespace phasor::cli
