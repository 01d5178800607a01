#include "common/log/log.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace phasor::log {
namespace {

TEST(LogTest, TextShowsPlainValuesBare) {
  EXPECT_EQ(FormatText("job accepted",
                       {{"job_id", "abc#2"}, {"images", 4}, {"seconds", 1.5}, {"warm", true}}),
            "\"job accepted\" job_id=abc#2 images=4 seconds=1.5 warm=true");
}

TEST(LogTest, TextQuotesWhatWouldBreakTheLine) {
  struct Case {
    std::string value;
    std::string shown;
  };
  const Case cases[] = {
      {"", "\"\""},
      {"two words", "\"two words\""},
      {"a\nb", "\"a\\nb\""},
      {"a=b", "\"a=b\""},
      {"say \"x\"", R"("say \"x\"")"},
      {"back\\slash", R"("back\\slash")"},
      {"\x1b[31m", R"("\x1b[31m")"},
      {"rot \xc3\xa4", "\"rot \xc3\xa4\""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(FormatText("m", {{"k", c.value}}), "\"m\" k=" + c.shown);
  }
}

TEST(LogTest, LinesHaveTheFieldsOfTheScopesTheyAreWrittenIn) {
  const Scope none("trace_id", "");
  EXPECT_EQ(FormatText("m", {{"k", 1}}), "\"m\" k=1");
  {
    const Scope outer("trace_id", "ab");
    const Scope inner("what", "two words");
    EXPECT_EQ(FormatText("m", {{"k", 1}}), "\"m\" k=1 trace_id=ab what=\"two words\"");
    EXPECT_EQ(FormatJson("m", {}), R"("message":"m","trace_id":"ab","what":"two words")");
  }
  EXPECT_EQ(FormatText("m", {}), "\"m\"");
}

TEST(LogTest, JsonLinesParseWhateverTheValuesHold) {
  const auto line =
      nlohmann::json::parse("{" +
                            FormatJson("it \"failed\"", {{"why", std::string("a\n\xff\0b", 5)},
                                                         {"count", uint64_t{18446744073709551615u}},
                                                         {"ratio", 0.25},
                                                         {"ok", false},
                                                         {"status", InvalidArgument("width")}}) +
                            "}");
  EXPECT_EQ(line["message"], "it \"failed\"");
  EXPECT_EQ(line["count"], 18446744073709551615u);
  EXPECT_EQ(line["ratio"], 0.25);
  EXPECT_EQ(line["ok"], false);
  EXPECT_EQ(line["status"], "INVALID_ARGUMENT: width");
  EXPECT_EQ(line["why"], std::string("a\n\xef\xbf\xbd\0b", 7));
}

TEST(LogTest, JsonQuotesNumbersThatJsonDoesNotHave) {
  EXPECT_EQ(FormatJson("m", {{"x", std::stod("nan")}}), R"("message":"m","x":"nan")");
}

TEST(LogTest, LevelsAndFormatsAreReadByName) {
  EXPECT_EQ(*ParseLevel("warn"), Level::kWarn);
  EXPECT_EQ(*ParseFormat("json"), Format::kJson);
  EXPECT_EQ(ParseLevel("loud").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseFormat("xml").status().code(), StatusCode::kInvalidArgument);
}

TEST(LogTest, LevelsBelowTheConfiguredOneAreOff) {
  Configure({.level = Level::kWarn});
  EXPECT_FALSE(Enabled(Level::kInfo));
  EXPECT_TRUE(Enabled(Level::kError));
  testing::internal::CaptureStderr();
  Info("quiet");
  Warn("loud", {{"k", 1}});
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(written.find("quiet"), std::string::npos);
  EXPECT_NE(written.find("Z warning \"loud\" k=1\n"), std::string::npos) << written;
  Configure({});
}

}  // namespace
}  // namespace phasor::log
