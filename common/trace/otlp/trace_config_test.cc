#include "common/trace/otlp/trace_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace phasor::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class TraceConfigTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const char* name :
         {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"}) {
      unsetenv(name);
    }
  }

  TraceConfig config_{.otlp = {.endpoint = "http://collector:4318"}};
  metrics::Registry registry_;
};

TEST_F(TraceConfigTest, NothingIsMadeWithoutAnEndpoint) {
  setenv("OTEL_RESOURCE_ATTRIBUTES", "no pairs", 1);
  TraceConfig config;
  EXPECT_TRUE(CompleteTraces("phasor-worker", "w1", &config).ok());
  EXPECT_FALSE(OpenSpans(config, registry_)->wants());
}

TEST_F(TraceConfigTest, AProcessIsToldByItsNames) {
  ASSERT_TRUE(CompleteTraces("phasor-worker", "w1", &config_).ok());
  EXPECT_THAT(config_.otlp.resource,
              ElementsAre(Pair("service.instance.id", "w1"), Pair("service.name", "phasor-worker"),
                          Pair("service.namespace", "phasor")));
  EXPECT_TRUE(OpenSpans(config_, registry_)->wants());
}

TEST_F(TraceConfigTest, OpenTelemetrysVariablesGoBeforeThese) {
  setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,k8s.pod.name=p", 1);
  setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hidden", 1);
  ASSERT_TRUE(CompleteTraces("phasor-worker", "w1", &config_).ok());
  EXPECT_EQ(config_.otlp.resource.at("service.name"), "a");
  EXPECT_EQ(config_.otlp.resource.at("k8s.pod.name"), "p");
  EXPECT_THAT(config_.otlp.headers, ElementsAre(Pair("api-key", "hidden")));
  setenv("OTEL_SERVICE_NAME", "b", 1);
  ASSERT_TRUE(CompleteTraces("phasor-worker", "w1", &config_).ok());
  EXPECT_EQ(config_.otlp.resource.at("service.name"), "b");
}

TEST_F(TraceConfigTest, WhatIsWrongIsNamedAndNoSecretIs) {
  setenv("OTEL_EXPORTER_OTLP_HEADERS", "hidden", 1);
  const Status status = CompleteTraces("phasor-worker", "w1", &config_);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("OTEL_EXPORTER_OTLP_HEADERS"));
  EXPECT_THAT(status.message(), Not(HasSubstr("hidden")));
  for (const char* endpoint : {"collector:4317", "grpc://collector", "http://"}) {
    config_.otlp.endpoint = endpoint;
    const Status wrong = CompleteTraces("phasor-worker", "w1", &config_);
    EXPECT_EQ(wrong.code(), StatusCode::kInvalidArgument) << endpoint;
    EXPECT_THAT(wrong.message(), HasSubstr("--otlp-endpoint"));
  }
}

}  // namespace
}  // namespace phasor::trace
