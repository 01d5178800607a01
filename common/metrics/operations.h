// A program's operations port from its settings (common/config/shared_settings.h). Stateless.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/log/log.h"
#include "common/metrics/admin_server.h"

namespace phasor::metrics {

// `Config` has metrics and metrics_tls. Null where the former is "off". What is wrong with a
// certificate later goes to the log. Errors and what outlives what as of AdminServer::Start.
template <typename Config>
StatusOr<std::unique_ptr<AdminServer>> OpenOperations(const Config& config,
                                                      const Registry* registry,
                                                      AdminServer::Readiness ready,
                                                      const Clock* clock) {
  if (config.metrics == "off") return std::unique_ptr<AdminServer>();
  const auto on_trouble = [](const Status& why) {
    log::Warn("the operations port's certificate can't be replaced", {{"why", why}});
  };
  return AdminServer::Start(
      {.address = config.metrics, .tls = config.metrics_tls, .on_trouble = on_trouble}, registry,
      std::move(ready), clock);
}

}  // namespace phasor::metrics
