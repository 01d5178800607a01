// How every unary method that blocks is answered: in the work pool, unless the client has gone, too
// many wait already or what it sent is no request (message_bytes.h).
#pragma once

#include <memory>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "common/base/status.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/grpc/client_answer.h"
#include "services/gateway/grpc/message_bytes.h"

namespace phasor::gateway {

// `work(request, &reply)` returns a Status and fills in the reply; it is run in the pool.
template <typename Request, typename Reply, typename Work>
grpc::ServerUnaryReactor* AnswerInPool(grpc::CallbackServerContext* call, WorkPool* pool,
                                       const grpc::ByteBuffer* bytes, grpc::ByteBuffer* response,
                                       Work work) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const auto request = std::make_shared<Request>();
  if (const Status status = ParseMessage(*bytes, request.get()); !status.ok()) {
    reactor->Finish(AnswerOf(status));
    return reactor;
  }
  const bool posted =
      pool->TryPost([call, reactor, request, response, work = std::move(work)]() mutable {
        if (call->IsCancelled()) return reactor->Finish(grpc::Status::CANCELLED);
        Reply reply;
        const Status status = work(*request, &reply);
        if (status.ok()) *response = ToBytes(reply);
        reactor->Finish(AnswerOf(status));
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
