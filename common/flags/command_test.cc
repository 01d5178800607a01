#include "common/flags/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

namespace phasor::flags {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CommandTest : public ::testing::Test {
 protected:
  // The complaint, empty: none.
  std::string Complaint(const std::vector<std::string>& words) {
    return Message(line_.Parse(words, out_).status());
  }

  CommandLine line_{"sample", "does nothing"};
  std::ostringstream out_;
};

TEST_F(CommandTest, FillsFieldsOfEveryKind) {
  bool flag = false;
  std::string text = "before";
  std::optional<std::string> maybe;
  std::vector<std::string> texts, list;
  int whole = 3;
  std::optional<int64_t> wide;
  uint64_t seed = 0;
  std::optional<double> number;
  line_.Flag("-f,--flag", &flag, "");
  line_.Text("--text", &text, "");
  line_.Text("--maybe", &maybe, "");
  line_.Texts("words", &texts, "");
  line_.List("--list", &list, "");
  line_.Whole("--whole", &whole, "");
  line_.Whole("--wide", &wide, "");
  line_.Whole("--seed", &seed, "");
  line_.Number("--number", &number, "");
  EXPECT_EQ(Complaint({"a", "-f", "--text=x", "--maybe", "y", "--whole", "-4", "--wide",
                       "9223372036854775807", "--seed", "18446744073709551615", "--number", "0.1",
                       "--list", "p,q", "--list", "r", "b"}),
            "");
  EXPECT_TRUE(flag);
  EXPECT_EQ(text, "x");
  EXPECT_EQ(maybe, "y");
  EXPECT_THAT(texts, ElementsAre("a", "b"));
  EXPECT_THAT(list, ElementsAre("p", "q", "r"));
  EXPECT_EQ(whole, -4);
  EXPECT_EQ(wide, INT64_MAX);
  EXPECT_EQ(seed, UINT64_MAX);
  EXPECT_EQ(number, 0.1);
}

TEST_F(CommandTest, LeavesAloneWhatNobodyGives) {
  std::string text = "before";
  std::vector<std::string> list = {"kept"};
  std::optional<int> whole;
  line_.Text("--text", &text, "");
  line_.List("--list", &list, "");
  line_.Whole("--whole", &whole, "");
  EXPECT_EQ(Complaint({}), "");
  EXPECT_EQ(text, "before");
  EXPECT_THAT(list, ElementsAre("kept"));
  EXPECT_FALSE(whole.has_value());
}

TEST_F(CommandTest, ComplaintsNameTheFlagAndTheLimit) {
  std::optional<int> whole;
  std::string word = "auto";
  std::string needed;
  line_.Whole("-w,--whole", &whole, "", 1, 8);
  line_.OneOf("--mode", {"auto", "none"}, &word, "");
  line_.Text("job", &needed, "").Required();
  EXPECT_THAT(Complaint({"x", "-w", "9"}), HasSubstr("--whole: must be between 1 and 8, got 9"));
  EXPECT_THAT(Complaint({"x", "--whole", "010x"}), HasSubstr("whole number, got '010x'"));
  EXPECT_THAT(Complaint({"x", "--mode", "Auto"}), HasSubstr("must be one of auto, none"));
  EXPECT_THAT(Complaint({"x", "--nothing"}), HasSubstr("--nothing"));
  EXPECT_THAT(Complaint({"x", "-w", "1", "-w", "2"}), HasSubstr("--whole"));
  EXPECT_THAT(Complaint({}), HasSubstr("job"));
}

TEST_F(CommandTest, TheLastOneWinsWhereThatIsWanted) {
  int whole = 0;
  line_.LastOneWins();
  line_.Whole("--whole", &whole, "");
  EXPECT_EQ(Complaint({"--whole", "1", "--whole", "2"}), "");
  EXPECT_EQ(whole, 2);
}

TEST_F(CommandTest, AVariableStandsInForAFlagAndIsReadAsStrictly) {
  int whole = 0;
  line_.Whole("--whole", &whole, "", 0, 100).FromVariable("PHASOR_COMMAND_TEST");
  setenv("PHASOR_COMMAND_TEST", "010", 1);
  EXPECT_EQ(Complaint({}), "");
  EXPECT_EQ(whole, 10);
  setenv("PHASOR_COMMAND_TEST", "1e1", 1);
  EXPECT_THAT(Complaint({}), HasSubstr("--whole: must be a whole number"));
  unsetenv("PHASOR_COMMAND_TEST");
}

TEST_F(CommandTest, RunsTheCommandThatWasNamed) {
  std::string ran;
  bool json = false;
  line_.Flag("--json", &json, "");
  line_.RequiresCommand();
  line_.TakesFlagsOfOthers();
  line_.AddCommand("one", "the first").Runs([&] { ran = "one"; });
  line_.AddCommand("two", "the second").Runs([&] { ran = "two"; });
  EXPECT_EQ(Complaint({"two", "--json"}), "");
  EXPECT_EQ(ran, "two");
  EXPECT_TRUE(json);
  EXPECT_NE(Complaint({}), "");
  EXPECT_NE(Complaint({"three"}), "");
}

TEST_F(CommandTest, HelpShowsWhatAFieldHolds) {
  int threads = 4;
  double share = 0.1;
  std::string empty;
  line_.Version("9.9");
  line_.Whole("--threads", &threads, "that work");
  line_.Number("--share", &share, "of the whole");
  line_.Text("--empty", &empty, "nothing yet");
  const auto help = line_.Parse({"--help"}, out_);
  ASSERT_TRUE(help.ok()) << help.status();
  EXPECT_FALSE(*help);
  EXPECT_THAT(out_.str(), HasSubstr("--threads INT=4"));
  EXPECT_THAT(out_.str(), HasSubstr("--share FLOAT=0.1"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("--empty TEXT=")));
  std::ostringstream version;
  EXPECT_FALSE(*line_.Parse({"--version"}, version));
  EXPECT_THAT(version.str(), HasSubstr("9.9"));
}

}  // namespace
}  // namespace phasor::flags
