#include "services/gateway/submit_group.h"

#include <utility>

#include "common/log/log.h"
#include "common/rpc/status_convert.h"

namespace phasor::gateway {
namespace {

constexpr size_t kMaxWaiting = 4096;
constexpr size_t kMaxGroup = 64;
// Two: one group is checked and encoded while another waits for Redis.
constexpr int kMaxDrains = 2;
constexpr size_t kMaxTraceParent = 128;

}  // namespace

SubmitGroup::SubmitGroup(SubmitFlow* flow, queue::Producer* producer, WorkPool* pool)
    : flow_(flow), producer_(producer), pool_(pool) {}

bool SubmitGroup::TryPost(const Entry& entry) {
  MutexLock lock(&mu_);
  if (waiting_.size() >= kMaxWaiting) return false;
  if (drains_ < kMaxDrains) {
    if (pool_->TryPost([this] { Drain(); })) {
      ++drains_;
    } else if (drains_ == 0) {
      return false;  // else a drain in progress takes it along
    }
  }
  waiting_.push_back(entry);
  return true;
}

void SubmitGroup::Drain() {
  for (;;) {
    std::vector<Entry> group;
    {
      MutexLock lock(&mu_);
      while (!waiting_.empty() && group.size() < kMaxGroup) {
        group.push_back(waiting_.front());
        waiting_.pop_front();
      }
      if (group.empty()) {
        --drains_;
        return;
      }
    }
    Submit(group);
  }
}

void SubmitGroup::Submit(const std::vector<Entry>& group) {
  const auto finish = [](const Entry& entry, StatusOr<v1::SubmitResponse> response) {
    if (response.ok()) {
      LogAccepted(*response);
      *entry.response = *std::move(response);
    }
    entry.reactor->Finish(rpc::ToGrpc(response.status()));
  };
  std::vector<Entry> sent;
  std::vector<SubmitFlow::Prepared> prepared;
  std::vector<queue::SubmitRequest> requests;
  for (const Entry& entry : group) {
    if (entry.call->IsCancelled()) {
      entry.reactor->Finish(grpc::Status::CANCELLED);
      continue;
    }
    auto one = flow_->Prepare(entry.request->request(), TraceParent(*entry.call));
    if (!one.ok()) {
      finish(entry, one.status());
    } else if (one->answered) {
      finish(entry, std::move(one->response));
    } else {
      sent.push_back(entry);
      requests.push_back(one->submit);
      prepared.push_back(*std::move(one));
    }
  }
  if (sent.empty()) return;
  const auto replies = producer_->SubmitAll(requests);
  for (size_t i = 0; i < sent.size(); ++i) {
    finish(sent[i], flow_->Conclude(std::move(prepared[i]), replies[i]));
  }
}

std::string SubmitGroup::TraceParent(const grpc::CallbackServerContext& call) {
  const auto found = call.client_metadata().find("traceparent");
  if (found == call.client_metadata().end() || found->second.size() > kMaxTraceParent) return "";
  return {found->second.data(), found->second.size()};
}

void SubmitGroup::LogAccepted(const v1::SubmitResponse& response) {
  if (!log::Enabled(log::Level::kInfo)) return;
  log::Info("job accepted", {{"job_id", response.job_id()},
                             {"model", response.request().model()},
                             {"duplicate", response.duplicate()}});
}

}  // namespace phasor::gateway
