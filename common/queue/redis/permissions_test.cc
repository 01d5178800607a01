#include "common/queue/redis/permissions.h"

#include <algorithm>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "common/queue/redis/scripts.h"

namespace phasor::queue {
namespace {

TEST(PermissionsTest, EveryCommandOfAScriptIsAskedFor) {
  const std::vector<std::string> asked = NeededCommands();
  const std::set<std::string> needed(asked.begin(), asked.end());
  std::set<std::string> found;
  for (const Script* script :
       {&scripts::kSubmit,   &scripts::kTake,      &scripts::kRenew,
        &scripts::kComplete, &scripts::kFail,      &scripts::kRelease,
        &scripts::kRecover,  &scripts::kCancel,    &scripts::kAdopt,
        &scripts::kSeals,    &scripts::kGet,       &scripts::kList,
        &scripts::kStats,    &scripts::kRedrive,   &scripts::kAudit,
        &scripts::kHistory,  &scripts::kForget,    &scripts::kPreempt,
        &scripts::kUnpark,   &scripts::kSetLimits, &scripts::kSetTenantLimits,
        &scripts::kSetPaused}) {
    const std::string text(script->text);
    const std::regex call("call\\('([A-Z]+)'");
    for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) {
      std::string command = (*at)[1];
      std::transform(command.begin(), command.end(), command.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      found.insert(command);
    }
  }
  EXPECT_GT(found.size(), 20u) << "the test finds the scripts' calls";
  for (const std::string& command : found) {
    EXPECT_TRUE(needed.count(command) == 1) << command << " is missing in permissions.cc";
  }
}

TEST(PermissionsTest, TheRulesNameKeysChannelAndCommands) {
  const std::string rules = NeededRules("{phasor}:");
  EXPECT_EQ(rules.rfind("resetkeys ~{phasor}:* resetchannels &{phasor}:ev -@all +", 0), 0u)
      << rules;
  for (const std::string rule : {" +publish", " +subscribe", " +eval ", " +script|load"}) {
    EXPECT_NE(rules.find(rule), std::string::npos) << rules;
  }
}

}  // namespace
}  // namespace phasor::queue
