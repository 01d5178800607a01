#include "services/cli/request_flags.h"

#include <fstream>
#include <set>

#include <CLI/CLI.hpp>

#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

RequestFlags Parse(std::vector<std::string> arguments) {
  RequestFlags flags;
  CLI::App app;
  AddRequestFlags(app, &flags);
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return flags;
}

TEST(RequestFlagsTest, LeavesToTheGatewayWhatWasNotSaid) {
  const auto requests = MakeRequests(Parse({"a cat"}), 0);
  ASSERT_TRUE(requests.ok());
  const v1::GenerateRequest& request = requests->front();
  EXPECT_EQ(request.prompt(), "a cat");
  EXPECT_FALSE(request.has_width() || request.has_height() || request.has_steps() ||
               request.has_seed() || request.has_images() || request.has_guidance_scale());
  EXPECT_FALSE(request.idempotency_key().empty());
}

TEST(RequestFlagsTest, PassesValuesOnEvenIfTheyAreWrong) {
  const auto requests = MakeRequests(
      Parse({"x", "--width", "7", "--seed", "-1", "--guidance", "nan", "--steps", "100000"}), 0);
  ASSERT_TRUE(requests.ok());
  EXPECT_EQ(requests->front().width(), 7);
  EXPECT_EQ(requests->front().seed(), -1);
  EXPECT_NE(requests->front().guidance_scale(), requests->front().guidance_scale());
  EXPECT_EQ(requests->front().steps(), 100'000);
}

TEST(RequestFlagsTest, GivesEachPromptAKeyOfItsOwn) {
  const auto requests = MakeRequests(Parse({"a", "b", "--key", "k"}), 0);
  ASSERT_TRUE(requests.ok());
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ((*requests)[0].idempotency_key(), "k-1");
  EXPECT_EQ((*requests)[1].idempotency_key(), "k-2");
  EXPECT_EQ(MakeRequests(Parse({"a", "--key", "k"}), 0)->front().idempotency_key(), "k");
}

TEST(RequestFlagsTest, ReadsPromptsFromAFileWithoutEmptyLines) {
  const std::string path = ::testing::TempDir() + "/prompts.txt";
  std::ofstream(path) << "first\r\n\nsecond\n";
  const auto requests = MakeRequests(Parse({"--prompts-file", path}), 0);
  ASSERT_TRUE(requests.ok());
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ((*requests)[0].prompt(), "first");
  EXPECT_EQ((*requests)[1].prompt(), "second");
}

TEST(RequestFlagsTest, RefusesWhatIsNoRequest) {
  EXPECT_EQ(MakeRequests(Parse({}), 0).status().code(), StatusCode::kInvalidArgument);
  const Status unknown = MakeRequests(Parse({"a", "--priority", "asap"}), 0).status();
  EXPECT_EQ(unknown.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(unknown).find("low, normal, high or urgent"), std::string::npos);
  EXPECT_EQ(MakeRequests(Parse({"--prompts-file", "/nowhere"}), 0).status().code(),
            StatusCode::kNotFound);
}

TEST(RequestFlagsTest, CountsTheDeadlineFromNow) {
  EXPECT_EQ(MakeRequests(Parse({"a", "--deadline", "1.5"}), 1000)->front().deadline_ms(), 2500);
  EXPECT_EQ(MakeRequests(Parse({"a"}), 1000)->front().deadline_ms(), 0);
}

TEST(RequestFlagsTest, TakesPrioritiesInAnyCase) {
  EXPECT_EQ(MakeRequests(Parse({"a", "--priority", "Urgent"}), 0)->front().priority(), v1::URGENT);
  EXPECT_EQ(MakeRequests(Parse({"a"}), 0)->front().priority(), v1::NORMAL);
}

}  // namespace
}  // namespace phasor::cli
