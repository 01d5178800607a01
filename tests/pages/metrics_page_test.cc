// docs/metrics.md names every metric that a gateway and a worker register, and no other: its tables
// are made from the registries of a real gateway and a real worker. PHASOR_WRITE_PAGES=1 writes
// them anew.
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/metrics/registry.h"
#include "common/queue/memory/memory_queue.h"
#include "common/storage/memory_store.h"
#include "engine/fake/fake_engine.h"
#include "services/gateway/gateway.h"
#include "services/worker/worker.h"
#include "tests/pages/page.h"

namespace phasor {
namespace {

using metrics::FamilyInfo;

config::ModelCard Card() {
  config::ModelCard card;
  card.name = "demo";
  card.family = "sd1";
  card.directory = ::testing::TempDir() + "/metrics_page_model";
  return card;
}

bool BeginsWith(const std::string& text, const std::string& head) {
  return text.rfind(head, 0) == 0;
}
bool EndsWith(const std::string& text, const std::string& tail) {
  return text.size() >= tail.size() &&
         text.compare(text.size() - tail.size(), tail.size(), tail) == 0;
}

// The unit is a name's ending.
std::string UnitOf(const FamilyInfo& info) {
  if (EndsWith(info.name, "_seconds")) return "seconds";
  if (EndsWith(info.name, "_bytes")) return "bytes";
  if (EndsWith(info.name, "_ratio")) return "ratio";
  if (info.type == "histogram" && EndsWith(info.name, "_jobs")) return "jobs";
  if (BeginsWith(info.what, "1 while")) return "0 or 1";
  if (info.name.find("_cost") != std::string::npos) return "cost";
  return "count";
}

// How the series of several processes become one. Where the process that exports it is the only one
// that knows, they are added up; these are the others.
std::string TogetherOf(const FamilyInfo& info) {
  static const auto* const special = new std::map<std::string, std::string>{
      {"phasor_queue_up", "min (is one cut off?) or max (is anybody served?)"},
      {"phasor_fleet_ready", "min"},
      {"phasor_workers_ready", "max"},
      {"phasor_job_ends_seen_total", "rate, then max"},
      {"phasor_clock_difference_seconds", "each alone"},
      {"phasor_store_sweep_stopped", "max"},
      {"phasor_predicted_peak_bytes", "max"},
      {"phasor_actual_peak_bytes", "max"},
  };
  if (const auto found = special->find(info.name); found != special->end()) return found->second;
  if (BeginsWith(info.name, "phasor_queue_") && info.type == "gauge") return "max";
  return info.type == "gauge" ? "sum" : "rate, then sum";
}

std::string Table(const std::vector<FamilyInfo>& families) {
  std::string table =
      "| Metric | Type | Labels | Unit | Put together by | Meaning |\n|---|---|---|---|---|---|\n";
  for (const FamilyInfo& info : families) {
    std::string labels;
    for (const std::string& label : info.label_names) {
      labels.append(labels.empty() ? "" : ", ").append(label);
    }
    for (const std::string& cell :
         {"`" + info.name + "`", info.type, labels, UnitOf(info), TogetherOf(info), info.what}) {
      table.append("| ").append(cell).append(cell.empty() ? "" : " ");
    }
    table.append("|\n");
  }
  return table;
}

class MetricsPageTest : public ::testing::Test {
 protected:
  MetricsPageTest() {
    gateway::GatewayConfig config;
    config.listen = "127.0.0.1:0";
    spans_ = trace::OpenSpans(config.traces, registry_);
    gateway_ = *gateway::Gateway::Start(config, "0123456789abcdef", {{Card()}, {}},
                                        {.producer = &queue_,
                                         .maintenance = &queue_,
                                         .control = &queue_,
                                         .events = &queue_,
                                         .store = &store_,
                                         .clock = &clock_,
                                         .metrics = &registry_,
                                         .foundation = nullptr,
                                         .spans = spans_.get()});
    worker::WorkerConfig worker;
    worker.name = worker.node = "w1";
    worker_ = std::make_unique<worker::Worker>(
        worker, std::vector<config::ModelCard>{Card()},
        worker::Worker::Ports{.queue = queue_,
                              .store = store_,
                              .clock = clock_,
                              .make_engine = []() -> StatusOr<std::unique_ptr<engine::Engine>> {
                                return engine::MakeFakeEngine({});
                              },
                              .draw = [] { return 0.0; },
                              .memory_percent = [] { return 0.0; },
                              .end_process = [](const std::string&) {}});
  }

  const SystemClock clock_;
  queue::MemoryQueue queue_{clock_};
  storage::MemoryStore store_;
  metrics::Registry registry_;
  std::unique_ptr<trace::SpanSink> spans_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<worker::Worker> worker_;
  Page page_{"metrics.md"};
};

TEST_F(MetricsPageTest, TablesAreWhatGatewayAndWorkerRegister) {
  page_.Put("gateway", Table(registry_.Families()));
  page_.Put("worker", Table(worker_->metrics().Families()));
  page_.Check();
}

TEST_F(MetricsPageTest, WhatIsToComeIsNotThereYet) {
  std::set<std::string> exported;
  for (const FamilyInfo& info : registry_.Families()) exported.insert(info.name);
  for (const FamilyInfo& info : worker_->metrics().Families()) exported.insert(info.name);
  const std::string& text = page_.text();
  std::istringstream lines(text.substr(text.find("## Not exported yet")));
  for (std::string line; std::getline(lines, line);) {
    if (!BeginsWith(line, "| `phasor_")) continue;
    const std::string name = line.substr(3, line.find('`', 3) - 3);
    EXPECT_EQ(exported.count(name), 0u) << name << " is exported now: take it off that list";
  }
}

TEST_F(MetricsPageTest, NamesFollowTheRules) {
  for (const auto& families : {registry_.Families(), worker_->metrics().Families()}) {
    for (const FamilyInfo& info : families) {
      // The name that other servers have for it.
      const bool foreign = info.name == "phasor_inference_request_count";
      EXPECT_EQ(info.type == "counter", EndsWith(info.name, "_total") || foreign) << info.name;
      EXPECT_FALSE(info.type == "histogram" && UnitOf(info) == "count") << info.name;
      EXPECT_EQ(info.what.back(), '.') << info.name;
    }
  }
}

}  // namespace
}  // namespace phasor
