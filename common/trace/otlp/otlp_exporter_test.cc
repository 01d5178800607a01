#include "common/trace/otlp/otlp_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/http/page_server.h"

namespace phasor::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

Span Named(const std::string& name) {
  return {.context = {"5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", true}, .name = name};
}

class OtlpExporterTest : public ::testing::Test {
 protected:
  OtlpOptions Options() {
    const std::string& url = server_.url();
    return {.endpoint = url.substr(0, url.rfind('/')) + "/",
            .headers = {{"api-key", "hidden"}},
            .every = Millis(10)};
  }
  double Value(const std::string& name) { return (*registry_.Counters(name, "", {})).Value(); }
  bool Becomes(const std::string& name, double value) {
    for (int n = 0; n < 1'000 && Value(name) < value; ++n) {
      std::this_thread::sleep_for(Millis(10));
    }
    return Value(name) == value;
  }

  http::PageServer server_;
  metrics::Registry registry_;
};

TEST_F(OtlpExporterTest, PostsSpansToTheCollectorsPathWithItsHeaders) {
  server_.Serve("200 OK", "{}");
  OtlpExporter exporter(Options(), registry_);
  exporter.Add(Named("one"));
  ASSERT_TRUE(Becomes("trace_spans_sent_total", 1));
  EXPECT_THAT(server_.last_request(), HasSubstr("POST /v1/traces HTTP/1.1"));
  EXPECT_THAT(server_.last_request(), HasSubstr("api-key: hidden"));
  EXPECT_THAT(server_.last_request(), HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(server_.last_request(), HasSubstr(R"("name":"one")"));
}

TEST_F(OtlpExporterTest, TriesAgainWhatABusyCollectorDidNotTakeAndDropsWhatItRefuses) {
  server_.Serve("503 Busy", "");
  OtlpExporter exporter(Options(), registry_);
  exporter.Add(Named("one"));
  while (server_.asked() == 0) std::this_thread::sleep_for(Millis(10));
  server_.Serve("200 OK", "{}");
  ASSERT_TRUE(Becomes("trace_spans_sent_total", 1));
  EXPECT_EQ(server_.asked(), 2);
  server_.Serve("400 Bad Request", "no such field");
  exporter.Add(Named("two"));
  ASSERT_TRUE(Becomes("trace_spans_dropped_total", 1));
  EXPECT_EQ(server_.asked(), 3);
}

TEST_F(OtlpExporterTest, KeepsNoMoreThanThereIsRoomForWhileTheCollectorIsAway) {
  server_.Serve("", "");
  OtlpExporter exporter(Options(), registry_);
  for (size_t n = 0; n < OtlpExporter::kMost + OtlpExporter::kBatch + 7; ++n) {
    exporter.Add(Named("many"));
  }
  EXPECT_GE(Value("trace_spans_dropped_total"), 7);
}

TEST_F(OtlpExporterTest, SendsWhatWaitsBeforeItEnds) {
  server_.Serve("200 OK", "{}");
  OtlpOptions options = Options();
  options.every = Millis(3'600'000);
  {
    OtlpExporter exporter(options, registry_);
    for (int n = 0; n < 3; ++n) exporter.Add(Named("last words"));
  }
  EXPECT_EQ(Value("trace_spans_sent_total"), 3);
}

TEST(OtelPairsTest, AreReadAsTheVariablesHaveThem) {
  EXPECT_THAT(*ParseOtelPairs("a=1, b = two%20words,,c="),
              ElementsAre(Pair("a", "1"), Pair("b", "two words"), Pair("c", "")));
  EXPECT_THAT(*ParseOtelPairs(" "), IsEmpty());
  for (const char* wrong : {"secret", "=secret", "a=secret%zz"}) {
    const auto pairs = ParseOtelPairs(wrong);
    EXPECT_EQ(pairs.status().code(), StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(pairs.status().message(), Not(HasSubstr("secret"))) << wrong;
  }
}

}  // namespace
}  // namespace phasor::trace
