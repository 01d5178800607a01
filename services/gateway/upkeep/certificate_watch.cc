#include "services/gateway/upkeep/certificate_watch.h"

#include <utility>

#include "common/log/log.h"

namespace phasor::gateway {
namespace {

metrics::Counter& Reloads(metrics::Registry* metrics, const std::string& result) {
  auto family =
      metrics->Counters("tls_reloads_total",
                        "Certificates found changed on disk, by what became of them.", {"result"});
  return family.With({result});
}

}  // namespace

CertificateWatch::CertificateWatch(std::shared_ptr<tls::Source> source, metrics::Registry* metrics)
    : source_(std::move(source)),
      replaced_(Reloads(metrics, "used")),
      refused_(Reloads(metrics, "refused")),
      expiry_(*metrics->Gauges("tls_certificate_expiry_timestamp_seconds",
                               "When the certificate in use, or one that vouches for it, expires; "
                               "0: there is none.")) {
  Show();
}

Status CertificateWatch::Tick() {
  if (source_ == nullptr) return OkStatus();
  const int64_t replaced_before = source_->replaced();
  const int64_t refused_before = source_->refused();
  const Status status = source_->Look();
  if (source_->replaced() > replaced_before) {
    replaced_.Increment();
    log::Info("new certificate in use",
              {{"file", source_->files().certificate},
               {"expires", tls::TimeText(source_->current()->expires_ms)}});
    Show();
  }
  if (source_->refused() > refused_before) refused_.Increment();
  return status;
}

void CertificateWatch::Show() {
  if (source_ == nullptr) return;
  expiry_.Set(static_cast<double>(source_->current()->expires_ms) / 1000.0);
}

}  // namespace phasor::gateway
