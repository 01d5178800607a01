#include "services/gateway/submit_group.h"

#include <utility>

#include "common/log/log.h"
#include "services/gateway/client_status.h"

namespace phasor::gateway {
namespace {

constexpr size_t kMaxWaiting = 4096;
constexpr size_t kMaxGroup = 32;
// So many wait before another thread takes a group of its own while the others' are with Redis. A
// smaller group pays more for its round trip than it saves by waiting less.
constexpr size_t kWorthAnother = 16;
constexpr int kMaxDrains = 3;
constexpr size_t kMaxTraceParent = 128;

}  // namespace

SubmitGroup::SubmitGroup(SubmitFlow* flow, WorkPool* pool) : flow_(flow), pool_(pool) {}

bool SubmitGroup::TryPost(const Entry& entry) {
  MutexLock lock(&mu_);
  if (waiting_.size() >= kMaxWaiting) return false;
  if (drains_ == 0 || (drains_ < kMaxDrains && waiting_.size() >= kWorthAnother)) {
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
  std::vector<Entry> sent;
  std::vector<SubmitFlow::Item> items;
  for (const Entry& entry : group) {
    if (entry.call->IsCancelled()) {
      entry.reactor->Finish(grpc::Status::CANCELLED);
      continue;
    }
    sent.push_back(entry);
    items.push_back({&entry.request->request(), TraceParent(*entry.call)});
  }
  auto answers = flow_->SubmitAll(items);
  for (size_t i = 0; i < sent.size(); ++i) {
    if (answers[i].ok()) {
      LogAccepted(*answers[i]);
      *sent[i].response = *std::move(answers[i]);
    }
    sent[i].reactor->Finish(AnswerOf(answers[i].status()));
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
