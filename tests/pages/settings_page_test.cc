// docs/settings.md names every setting of gateway and worker with its default, and no other.
#include <gtest/gtest.h>

#include "common/config/setting_list.h"
#include "services/gateway/config.h"
#include "services/worker/worker_config.h"
#include "tests/pages/page.h"

namespace phasor {
namespace {

TEST(SettingsPageTest, TablesAreWhatGatewayAndWorkerDeclare) {
  config::SettingList gateway;
  config::SettingList worker;
  gateway::ListGatewaySettings(gateway);
  worker::ListWorkerSettings(worker);
  Page page("settings.md");
  page.Put("gateway", config::TableOf(gateway.rows()));
  page.Put("worker", config::TableOf(worker.rows()));
  page.Check();
}

}  // namespace
}  // namespace phasor
