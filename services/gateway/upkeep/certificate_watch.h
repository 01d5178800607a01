// Looks after the gateway's certificate: what is replaced on disk goes into use, and what is wrong
// with it becomes a metric and a line in the log. One thread.
#pragma once

#include <memory>

#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "common/tls/source.h"

namespace phasor::gateway {

class CertificateWatch {
 public:
  // null: plain text is spoken, and there is nothing to look after.
  CertificateWatch(std::shared_ptr<tls::Source> source, metrics::Registry* metrics);

  // An error says what is wrong with the files; the certificate in use stays.
  Status Tick();

 private:
  void Show();

  const std::shared_ptr<tls::Source> source_;
  metrics::Counter& replaced_;
  metrics::Counter& refused_;
  metrics::Gauge& expiry_;
};

}  // namespace phasor::gateway
