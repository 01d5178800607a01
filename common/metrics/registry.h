// The process's metrics: families of counters, gauges and histograms with bounded labels, in the
// Prometheus text format.
//
//   auto jobs = registry.Counters("jobs_total", "Jobs by end.", {"model", "state"});
//   jobs.With({"phasor-demo", "DONE"}).Increment();
//
// Names get the prefix "phasor_". A family holds at most kMaxSeries label combinations, or as many
// as it was made for; beyond them every label reads "other", so no client can grow the process by
// choosing values.
// Thread-safe. The registry owns all; families and what With returns live as long as it does.
// Making one family twice gives the same series.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "common/base/mutex.h"

namespace phasor::metrics {

using Counter = prometheus::Counter;
using Gauge = prometheus::Gauge;
using Histogram = prometheus::Histogram;
using Buckets = std::vector<double>;

inline constexpr size_t kMaxSeries = 500;

// Seconds from 1 ms to 10 minutes: for calls, phases and jobs alike.
Buckets SecondsBuckets();

// One metric with its label names.
template <typename Metric>
class Family {
 public:
  // `values` in the order of the label names.
  Metric& With(const std::vector<std::string>& values);
  // The family's only metric, where there are no labels.
  Metric& operator*() { return With({}); }
  Metric* operator->() { return &With({}); }
  // Drops all series whose labels were not asked for since the last Sweep: for gauges of things
  // that come and go. References from With are invalid afterwards.
  void Sweep();

 private:
  friend class Registry;
  struct Series {
    Metric* metric = nullptr;
    bool used = false;
  };
  struct State {
    prometheus::Family<Metric>* family = nullptr;
    std::vector<std::string> label_names;
    Buckets buckets;
    size_t most = kMaxSeries;
    Mutex mu;
    std::map<std::vector<std::string>, Series> series GUARDED_BY(mu);
  };
  explicit Family(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Metric& Add(const std::map<std::string, std::string>& labels);

  std::shared_ptr<State> state_;
};

// What a family is called and what it says, with its prefix, whether or not it has a series yet.
struct FamilyInfo {
  std::string name;
  std::string type;  // "counter", "gauge" or "histogram"
  std::string what;
  std::vector<std::string> label_names;
};

class Registry {
 public:
  Registry();

  Family<Counter> Counters(const std::string& name, const std::string& what,
                           const std::vector<std::string>& label_names = {});
  Family<Gauge> Gauges(const std::string& name, const std::string& what,
                       const std::vector<std::string>& label_names = {}, size_t most = kMaxSeries);
  Family<Histogram> Histograms(const std::string& name, const std::string& what,
                               const Buckets& buckets,
                               const std::vector<std::string>& label_names = {});

  // All metrics in the Prometheus text format.
  std::string Text() const;
  // By name.
  std::vector<FamilyInfo> Families() const;

 private:
  template <typename State, typename Builder>
  std::shared_ptr<State> Make(Builder builder, FamilyInfo info);

  prometheus::Registry registry_;
  mutable Mutex mu_;
  std::map<std::string, FamilyInfo> families_ GUARDED_BY(mu_);
};

extern template class Family<Counter>;
extern template class Family<Gauge>;
extern template class Family<Histogram>;

}  // namespace phasor::metrics
