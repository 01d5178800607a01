#include "services/cli/link/completion.h"

#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

using ::testing::Test;

class CompletionTest : public Test {
 protected:
  CompletionTest() {
    line_.Text("--address", &text_, "of the gateway");
    line_.AddCommand("generate", "draw what isn't there").Text("--seed", &text_, "a seed");
    line_.AddCommand("jobs", "list jobs");
    flags::Command& worker = line_.AddCommand("worker", "the workers");
    worker.AddCommand("list", "all");
    worker.AddCommand("drain", "empty one");
  }
  bool Has(const std::string& shell, const std::string& part) {
    return CompletionScript(line_, shell).find(part) != std::string::npos;
  }

  std::string text_;
  flags::CommandLine line_{"phasor", "phasor"};
};

TEST_F(CompletionTest, BashKnowsCommandsAndTheirFlags) {
  EXPECT_TRUE(Has("bash", "generate jobs worker"));
  EXPECT_TRUE(Has("bash", "generate) words='--help --seed --help --address'"))
      << CompletionScript(line_, "bash");
  EXPECT_TRUE(Has("bash", "complete -F _phasor phasor"));
}

TEST_F(CompletionTest, KnowsTheCommandsBelowACommand) {
  EXPECT_TRUE(Has("bash", "worker) depth=2 words='list drain --help --help --address'"))
      << CompletionScript(line_, "bash");
  EXPECT_TRUE(Has("fish", "'__fish_seen_subcommand_from worker' -f -a drain -d 'empty one'"));
}

TEST_F(CompletionTest, ZshRunsItThroughItsEmulation) {
  EXPECT_TRUE(Has("zsh", "bashcompinit"));
  EXPECT_TRUE(Has("zsh", "complete -F _phasor phasor"));
}

TEST_F(CompletionTest, FishGetsDescriptionsInSafeQuotes) {
  EXPECT_TRUE(Has("fish", "-a generate -d 'draw what isn'\\''t there'"));
  EXPECT_TRUE(Has("fish", "'__fish_seen_subcommand_from generate' -l seed -d 'a seed'"));
}

}  // namespace
}  // namespace phasor::cli
