#include "services/cli/draw/request_flags.h"

#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What the words say, or the complaint about them.
StatusOr<RequestFlags> Read(const std::vector<std::string>& words) {
  RequestFlags flags;
  flags::CommandLine line("draw", "draws");
  AddRequestFlags(line, &flags);
  std::ostringstream out;
  RETURN_IF_ERROR(line.Parse(words, out).status());
  return flags;
}

RequestFlags Parse(const std::vector<std::string>& words) { return *Read(words); }

TEST(RequestFlagsTest, LeavesToTheGatewayWhatWasNotSaid) {
  const auto requests = MakeRequests(Parse({"a cat"}));
  ASSERT_TRUE(requests.ok());
  const v1::GenerateRequest& request = requests->front();
  EXPECT_EQ(request.prompt(), "a cat");
  EXPECT_FALSE(request.has_width() || request.has_height() || request.has_steps() ||
               request.has_seed() || request.has_images() || request.has_guidance_scale());
  EXPECT_FALSE(request.idempotency_key().empty());
}

TEST(RequestFlagsTest, PassesValuesOnEvenIfTheyAreWrong) {
  const auto requests = MakeRequests(
      Parse({"x", "--width", "7", "--seed", "0", "--guidance", "-3", "--steps", "100000"}));
  ASSERT_TRUE(requests.ok());
  EXPECT_EQ(requests->front().width(), 7);
  EXPECT_EQ(requests->front().guidance_scale(), -3);
  EXPECT_EQ(requests->front().steps(), 100'000);
}

TEST(RequestFlagsTest, ReadsNumbersAsTheyAreWritten) {
  EXPECT_EQ(Parse({"x", "--seed", "010"}).asked.values().seed, 10);
  EXPECT_EQ(MakeRequests(Parse({"x", "--seed", "9223372036854775807"}))->front().seed(), INT64_MAX);
  struct Case {
    const char* flag;
    const char* value;
    const char* complaint;
  };
  for (const Case& c : {
           Case{"--seed", "18446744073709551615", "between 0 and 9223372036854775807"},
           Case{"--seed", "-1", "between 0 and"},
           Case{"--seed", "18446744073709551616", "between 0 and"},
           Case{"--seed", "0x10", "whole number"},
           Case{"--width", "4294967360", "between -2147483648 and 2147483647"},
           Case{"--steps", "2.5", "whole number"},
           Case{"--guidance", "nan", "must be a number"},
           Case{"--eta", "inf", "must be a number"},
           Case{"--deadline", "nan", "must be a number"},
           Case{"--deadline", "1e300", "between 0 and"},
       }) {
    const auto flags = Read({"x", c.flag, c.value});
    const Status status = flags.ok() ? MakeRequests(*flags).status() : flags.status();
    EXPECT_THAT(Message(status), HasSubstr(std::string(c.flag) + ": must be")) << c.value;
    EXPECT_THAT(Message(status), HasSubstr(c.complaint)) << c.value;
  }
}

TEST(RequestFlagsTest, TakesTextAsItWasTyped) {
  for (const char* text : {"[a red circle, a blue square]", "{}", "[]", "{a,b}", "a,b", "'x'", "[",
                           "%%", "a=b", "\x1fx"}) {
    EXPECT_THAT(Parse({text}).prompts, ElementsAre(text));
    EXPECT_THAT(Parse({"--", text}).prompts, ElementsAre(text));
    EXPECT_EQ(Parse({"x", "--negative", text}).asked.values().negative_prompt, text);
    EXPECT_EQ(Parse({"x", "--negative=" + std::string(text)}).asked.values().negative_prompt, text);
    EXPECT_EQ(Parse({"x", "--key", text}).key, text);
  }
  EXPECT_THAT(Parse({"[a, b]", "[c]"}).prompts, ElementsAre("[a, b]", "[c]"));
}

TEST(RequestFlagsTest, GivesEachPromptAKeyOfItsOwn) {
  const auto requests = MakeRequests(Parse({"a", "b", "--key", "k"}));
  ASSERT_TRUE(requests.ok());
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ((*requests)[0].idempotency_key(), "k-1");
  EXPECT_EQ((*requests)[1].idempotency_key(), "k-2");
  EXPECT_EQ(MakeRequests(Parse({"a", "--key", "k"}))->front().idempotency_key(), "k");
}

TEST(RequestFlagsTest, ReadsPromptsFromAFileWithoutEmptyLines) {
  const std::string path = ::testing::TempDir() + "/prompts.txt";
  std::ofstream(path) << "\xef\xbb\xbf"
                         "first\r\n\nsecond\n";
  const auto requests = MakeRequests(Parse({"--prompts-file", path}));
  ASSERT_TRUE(requests.ok());
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ((*requests)[0].prompt(), "first");
  EXPECT_EQ((*requests)[1].prompt(), "second");
}

TEST(RequestFlagsTest, RefusesWhatIsNoRequest) {
  EXPECT_EQ(MakeRequests(Parse({})).status().code(), StatusCode::kInvalidArgument);
  const Status unknown = MakeRequests(Parse({"a", "--priority", "asap"})).status();
  EXPECT_EQ(unknown.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(unknown).find("low, normal, high or urgent"), std::string::npos);
  EXPECT_EQ(MakeRequests(Parse({"--prompts-file", "/nowhere"})).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(RequestFlagsTest, TextThatAMessageCannotHoldIsNamed) {
  const std::string path = ::testing::TempDir() + "/latin1.txt";
  std::ofstream(path) << "a cat\n\ncaf\xe9\n";
  struct Case {
    std::vector<std::string> words;
    std::string where;
  };
  for (const Case& c :
       {Case{{"caf\xe9"}, "prompt"}, Case{{"a", "caf\xe9"}, "prompt"},
        Case{{"--prompts-file", path}, "line 3 of " + path},
        Case{{"a", "--negative", "caf\xe9"}, "--negative"}, Case{{"a", "--key", "\xff"}, "--key"},
        Case{{"a", "--model", "\xed\xa0\x80"}, "--model"}}) {
    const Status status = MakeRequests(Parse(c.words)).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(Message(status), c.where + " must be UTF-8 without NUL characters");
  }
}

TEST(RequestFlagsTest, CountsTheDeadlineFromNow) {
  EXPECT_EQ(MakeRequests(Parse({"a", "--deadline", "1.5"}))->front().deadline_in_ms(), 1500);
  EXPECT_EQ(MakeRequests(Parse({"a"}))->front().deadline_in_ms(), 0);
}

TEST(RequestFlagsTest, TakesPrioritiesInAnyCase) {
  EXPECT_EQ(MakeRequests(Parse({"a", "--priority", "Urgent"}))->front().priority(), v1::URGENT);
  EXPECT_EQ(MakeRequests(Parse({"a"}))->front().priority(), v1::NORMAL);
}

}  // namespace
}  // namespace phasor::cli
