// Submits that arrive together go to the queue together: while one group waits for Redis the next
// one gathers, so a busy gateway pays for threads and round trips once for many calls, and a
// quiet one loses nothing. Thread-safe; TryPost never blocks.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "common/base/mutex.h"
#include "phasor/v1/images.pb.h"
#include "services/gateway/submit_flow.h"
#include "services/gateway/work_pool.h"

namespace phasor::gateway {

class SubmitGroup {
 public:
  // A unary Submit in progress; all live until the reactor's Finish.
  struct Entry {
    grpc::CallbackServerContext* call = nullptr;
    grpc::ServerUnaryReactor* reactor = nullptr;
    const v1::SubmitRequest* request = nullptr;
    v1::SubmitResponse* response = nullptr;
  };

  // All outlive the group.
  SubmitGroup(SubmitFlow* flow, WorkPool* pool);

  // False when too many wait; then the caller finishes the call.
  [[nodiscard]] bool TryPost(const Entry& entry);

  // The W3C traceparent of a call; empty if there is none of sane length.
  static std::string TraceParent(const grpc::CallbackServerContext& call);
  static void LogAccepted(const v1::SubmitResponse& response);

 private:
  void Drain();
  void Submit(const std::vector<Entry>& group);

  SubmitFlow* const flow_;
  WorkPool* const pool_;

  Mutex mu_;
  std::deque<Entry> waiting_ GUARDED_BY(mu_);
  int drains_ GUARDED_BY(mu_) = 0;  // threads of the pool that empty waiting_
};

}  // namespace phasor::gateway
