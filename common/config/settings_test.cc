#include "common/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace phasor::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Sample {
  std::string name = "default";
  std::vector<std::string> peers;
  bool brave = false;
  int threads = 4;
  double share = 0.5;
  Millis grace{1'500};
  Millis keep{7'200'000};

  void Declare(Settings& settings) {
    settings.Text({"name", "of the thing", "PHASOR_SAMPLE_NAME"}, &name);
    settings.Texts({"peers", "to talk to"}, &peers);
    settings.Flag({"brave", "whether it dares"}, &brave);
    settings.Whole({"work_threads", "that work"}, 1, 8, &threads);
    settings.Number({"share", "of the whole"}, 0, 1, &share);
    settings.Seconds({"grace", "seconds of patience"}, 0, 60, &grace);
    settings.Hours({"keep", "hours until it is gone"}, 1, 48, &keep);
  }
};

Status ReadText(const std::string& text, Sample* sample) {
  ASSIGN_OR_RETURN(YamlReader reader, YamlReader::Parse(text, "sample.yaml"));
  FileSettings settings(reader);
  sample->Declare(settings);
  return reader.Finish();
}

// The complaint, empty: none.
std::string ReadFlags(const std::vector<std::string>& flags, Sample* sample) {
  flags::CommandLine line("sample", "of settings");
  FlagSettings settings(line);
  sample->Declare(settings);
  std::ostringstream out;
  return std::string(Message(line.Parse(flags, out).status()));
}

TEST(SettingsTest, AFileSetsEveryKind) {
  Sample sample;
  const Status read = ReadText(
      "{name: x, peers: [a, b], brave: true, work_threads: 2, share: 0.25, grace: 2.5, keep: 3}",
      &sample);
  ASSERT_TRUE(read.ok()) << read;
  EXPECT_EQ(sample.name, "x");
  EXPECT_THAT(sample.peers, ElementsAre("a", "b"));
  EXPECT_TRUE(sample.brave);
  EXPECT_EQ(sample.threads, 2);
  EXPECT_EQ(sample.share, 0.25);
  EXPECT_EQ(sample.grace, Millis(2'500));
  EXPECT_EQ(sample.keep, Millis(3 * 3'600'000));
}

TEST(SettingsTest, FlagsSetEveryKind) {
  Sample sample;
  const std::string complaint =
      ReadFlags({"--name", "x", "--peers", "a,b", "--peers", "c", "--brave", "--work-threads", "2",
                 "--share", "0.25", "--grace", "2.5", "--keep", "3"},
                &sample);
  ASSERT_EQ(complaint, "");
  EXPECT_EQ(sample.name, "x");
  EXPECT_THAT(sample.peers, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(sample.brave);
  EXPECT_EQ(sample.threads, 2);
  EXPECT_EQ(sample.share, 0.25);
  EXPECT_EQ(sample.grace, Millis(2'500));
  EXPECT_EQ(sample.keep, Millis(3 * 3'600'000));
}

TEST(SettingsTest, WhatNobodySetsKeepsItsDefault) {
  Sample from_file, from_flags;
  ASSERT_TRUE(ReadText("{}", &from_file).ok());
  ASSERT_EQ(ReadFlags({}, &from_flags), "");
  for (const Sample& sample : {from_file, from_flags}) {
    EXPECT_EQ(sample.name, "default");
    EXPECT_FALSE(sample.brave);
    EXPECT_EQ(sample.threads, 4);
    EXPECT_EQ(sample.grace, Millis(1'500));
    EXPECT_EQ(sample.keep, Millis(7'200'000));
  }
}

TEST(SettingsTest, VariablesSetWhatNoFlagDoes) {
  setenv("PHASOR_SAMPLE_NAME", "variable", 1);
  setenv("PHASOR_WORK_THREADS", "3", 1);
  setenv("PHASOR_GRACE", "0.5", 1);
  setenv("PHASOR_BRAVE", "true", 1);
  Sample sample;
  const std::string complaint = ReadFlags({"--work-threads", "2"}, &sample);
  unsetenv("PHASOR_SAMPLE_NAME");
  unsetenv("PHASOR_WORK_THREADS");
  unsetenv("PHASOR_GRACE");
  unsetenv("PHASOR_BRAVE");
  ASSERT_EQ(complaint, "");
  EXPECT_EQ(sample.name, "variable");
  EXPECT_EQ(sample.threads, 2);
  EXPECT_EQ(sample.grace, Millis(500));
  EXPECT_TRUE(sample.brave);
}

TEST(SettingsTest, WhatIsOutOfBoundsIsNamed) {
  struct Case {
    std::string key;
    std::string value;
  };
  for (const Case& c : {Case{"work_threads", "9"}, Case{"work_threads", "many"},
                        Case{"share", "1.5"}, Case{"grace", "61"}, Case{"keep", "0"}}) {
    Sample sample;
    const Status read = ReadText("{" + c.key + ": " + c.value + "}", &sample);
    EXPECT_THAT(Message(read), HasSubstr(c.key)) << c.value;
    std::string flag = "--" + c.key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    EXPECT_THAT(ReadFlags({flag, c.value}, &sample), HasSubstr(flag)) << c.value;
  }
}

}  // namespace
}  // namespace phasor::config
