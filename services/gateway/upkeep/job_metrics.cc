#include "services/gateway/upkeep/job_metrics.h"

namespace phasor::gateway {

JobMetrics::JobMetrics(metrics::Registry* registry, const std::vector<std::string>& models)
    : accepted_(registry->Counters("submits_accepted_total",
                                   "New jobs that this gateway put into the queue.", {"model"})),
      duplicates_(*registry->Counters("submits_repeated_total",
                                      "Submits whose idempotency key named a job that existed.")),
      unchecked_(*registry->Counters(
          "submits_unchecked_total",
          "New jobs with an idempotency key that the store could not be asked about in time.")),
      refused_(registry->Counters("submits_refused_total",
                                  "Submits that this gateway refused, by reason.", {"reason"})),
      ended_(registry->Counters("job_ends_seen_total",
                                "Ends of jobs that this gateway heard of; every gateway hears of "
                                "all, now and then one is missed.",
                                {"state"})) {
  // A rate needs the zero before the first event.
  for (const std::string& model : models) accepted_.With({model});
  for (const job::State state :
       {job::State::kDone, job::State::kDead, job::State::kCanceled, job::State::kExpired}) {
    ended_.With({std::string(job::ToString(state))});
  }
}

void JobMetrics::Accepted(const std::string& model) { accepted_.With({model}).Increment(); }

void JobMetrics::Duplicate() { duplicates_.Increment(); }

void JobMetrics::Unchecked() { unchecked_.Increment(); }

void JobMetrics::Refused(const std::string& reason) { refused_.With({reason}).Increment(); }

void JobMetrics::OnEvent(const queue::Event& event) {
  if (event.version == 0 || !job::IsTerminal(event.state)) return;
  ended_.With({std::string(job::ToString(event.state))}).Increment();
}

}  // namespace phasor::gateway
