#include "services/gateway/grpc/result_stream.h"

#include <utility>

#include "services/gateway/grpc/client_answer.h"
#include "services/gateway/grpc/message_bytes.h"

namespace phasor::gateway {
namespace {

std::optional<int> IndexOf(const v1::GetResultRequest& request) {
  return request.has_index() ? std::optional<int>(request.index()) : std::nullopt;
}

}  // namespace

ResultStream::ResultStream(grpc::CallbackServerContext* call, const PictureFeed::Parts& parts,
                           WriteGuard* guard, const Status& parsed,
                           const v1::GetResultRequest& request, job::Caller caller)
    : call_(call),
      guard_(guard),
      feed_(std::make_shared<PictureFeed>(parts, request.job_id(), IndexOf(request),
                                          std::move(caller))) {
  if (parsed.ok()) {
    Next();
  } else {
    Finish(AnswerOf(parsed));
  }
}

void ResultStream::Next() {
  feed_->Next([this](StatusOr<std::optional<v1::ResultChunk>> chunk) { Write(std::move(chunk)); });
}

void ResultStream::Write(StatusOr<std::optional<v1::ResultChunk>> chunk) {
  if (canceled_) return Finish(grpc::Status::CANCELLED);
  if (!chunk.ok()) return Finish(AnswerOf(chunk.status()));
  if (!chunk->has_value()) return Finish(grpc::Status::OK);
  chunk_ = ToBytes(**chunk);
  guard_->Begin(call_);
  StartWrite(&chunk_);
}

void ResultStream::OnWriteDone(bool ok) {
  guard_->End(call_);
  if (!ok) return Finish(grpc::Status::CANCELLED);
  Next();
}

}  // namespace phasor::gateway
