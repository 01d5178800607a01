#include "services/gateway/upkeep/certificate_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/tls/testing_folder.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

TEST(CertificateWatchTest, CountsWhatWentIntoUseAndWhatWasRefused) {
  const tls::TestingFolder folder;
  FakeClock clock(folder.now());
  metrics::Registry metrics;
  const auto source = *tls::Source::Open(folder.Issue("own"), &clock);
  CertificateWatch watch(source, &metrics);
  EXPECT_TRUE(watch.Tick().ok());
  EXPECT_THAT(metrics.Text(), HasSubstr("phasor_tls_reloads_total{result=\"used\"} 0"));
  folder.Issue("own");
  EXPECT_TRUE(watch.Tick().ok());
  folder.Write("own.key", "no key");
  EXPECT_FALSE(watch.Tick().ok());
  EXPECT_FALSE(watch.Tick().ok());
  EXPECT_THAT(metrics.Text(), HasSubstr("phasor_tls_reloads_total{result=\"used\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("phasor_tls_reloads_total{result=\"refused\"} 1"));
}

TEST(CertificateWatchTest, ShowsWhenTheCertificateInUseExpires) {
  const tls::TestingFolder folder;
  FakeClock clock(folder.now());
  metrics::Registry metrics;
  const int64_t expires = folder.now() / 1000 + 1'000;
  CertificateWatch watch(
      *tls::Source::Open(folder.Issue("own", {"a"}, {folder.now() - 1000, expires * 1000}), &clock),
      &metrics);
  const auto& gauge = *metrics.Gauges("tls_certificate_expiry_timestamp_seconds", "", {});
  EXPECT_DOUBLE_EQ(gauge.Value(), static_cast<double>(expires));
}

}  // namespace
}  // namespace phasor::gateway
