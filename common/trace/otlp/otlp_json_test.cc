#include "common/trace/otlp/otlp_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace phasor::trace {
namespace {

using nlohmann::json;

TEST(OtlpJsonTest, IsWhatTheSpecificationShows) {
  const Span span{.context = {"5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", true},
                  .parent_id = "eee19b7ec3c1b173",
                  .name = "denoise",
                  .kind = Kind::kServer,
                  .start_ns = 1544712660000000000,
                  .end_ns = 1544712661000000000,
                  .attributes = {{"my.text", std::string("some value")},
                                 {"my.count", int64_t{1} << 60},
                                 {"my.share", 0.5},
                                 {"my.flag", true}}};
  EXPECT_EQ(json::parse(OtlpJson({{"service.name", "my.service"}}, {span})), json::parse(R"({
    "resourceSpans": [{
      "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
      "scopeSpans": [{
        "scope": {"name": "phasor"},
        "spans": [{
          "traceId": "5b8efff798038103d269b633813fc60c",
          "spanId": "eee19b7ec3c1b174",
          "parentSpanId": "eee19b7ec3c1b173",
          "name": "denoise",
          "kind": 2,
          "startTimeUnixNano": "1544712660000000000",
          "endTimeUnixNano": "1544712661000000000",
          "attributes": [
            {"key": "my.text", "value": {"stringValue": "some value"}},
            {"key": "my.count", "value": {"intValue": "1152921504606846976"}},
            {"key": "my.share", "value": {"doubleValue": 0.5}},
            {"key": "my.flag", "value": {"boolValue": true}}
          ]}]}]}]})"));
}

TEST(OtlpJsonTest, AFirstSpanHasNoParentAndAFailedOneAnError) {
  const Span span{.context = {"5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", true},
                  .name = "job",
                  .error = "no \xff memory"};
  const json told = json::parse(OtlpJson({}, {span, span}))["resourceSpans"][0]["scopeSpans"][0];
  ASSERT_EQ(told["spans"].size(), 2u);
  EXPECT_FALSE(told["spans"][0].contains("parentSpanId"));
  EXPECT_EQ(told["spans"][0]["status"]["code"], 2);
  EXPECT_EQ(told["spans"][0]["status"]["message"], "no \xef\xbf\xbd memory");
}

}  // namespace
}  // namespace phasor::trace
