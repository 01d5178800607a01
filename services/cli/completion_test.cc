#include "services/cli/completion.h"

#include <CLI/CLI.hpp>

#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

using ::testing::Test;

class CompletionTest : public Test {
 protected:
  CompletionTest() {
    app_.add_option("--address", text_, "of the gateway");
    app_.add_subcommand("generate", "draw what isn't there")->add_option("--seed", text_, "a seed");
    app_.add_subcommand("jobs", "list jobs");
    CLI::App* worker = app_.add_subcommand("worker", "the workers");
    worker->add_subcommand("list", "all");
    worker->add_subcommand("drain", "empty one");
  }
  bool Has(const std::string& shell, const std::string& part) {
    return CompletionScript(app_, shell).find(part) != std::string::npos;
  }

  std::string text_;
  CLI::App app_{"phasor", "phasor"};
};

TEST_F(CompletionTest, BashKnowsCommandsAndTheirFlags) {
  EXPECT_TRUE(Has("bash", "generate jobs worker"));
  EXPECT_TRUE(Has("bash", "generate) words='--help --seed --help --address'"))
      << CompletionScript(app_, "bash");
  EXPECT_TRUE(Has("bash", "complete -F _phasor phasor"));
}

TEST_F(CompletionTest, KnowsTheCommandsBelowACommand) {
  EXPECT_TRUE(Has("bash", "worker) depth=2 words='list drain --help --help --address'"))
      << CompletionScript(app_, "bash");
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
