// How every unary method that blocks is answered: in the work pool, unless the client has gone or
// too many wait already.
#pragma once

#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "common/base/status.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/grpc/client_answer.h"

namespace phasor::gateway {

// `work` returns a Status and fills in the reply, which lives until the call's end.
template <typename Work>
grpc::ServerUnaryReactor* AnswerInPool(grpc::CallbackServerContext* call, WorkPool* pool,
                                       Work work) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const bool posted = pool->TryPost([call, reactor, work = std::move(work)] {
    reactor->Finish(call->IsCancelled() ? grpc::Status::CANCELLED : AnswerOf(work()));
  });
  if (!posted) reactor->Finish(AnswerOf(BusyStatus()));
  return reactor;
}

// Moves a StatusOr's value into the reply.
template <typename Reply>
Status Give(StatusOr<Reply> answer, Reply* reply) {
  if (answer.ok()) *reply = *std::move(answer);
  return answer.status();
}

}  // namespace phasor::gateway
