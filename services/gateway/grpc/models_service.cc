#include "services/gateway/grpc/models_service.h"

#include "services/gateway/grpc/client_answer.h"
#include "services/gateway/grpc/message_bytes.h"

namespace phasor::gateway {

v1::Model ModelsService::Describe(const config::ModelCard& card) {
  v1::Model model = ToProto(card);
  model.set_workers_ready(workers_->ReadyFor(card.name));
  const queue::QueueStats stats = sampler_->latest();
  if (const auto found = stats.models.find(card.name); found != stats.models.end()) {
    for (const auto& [priority, ready] : found->second.ready) {
      model.set_queued(model.queued() + ready);
    }
    model.set_running(found->second.running);
  }
  return model;
}

grpc::ServerUnaryReactor* ModelsService::List(grpc::CallbackServerContext* call,
                                              const grpc::ByteBuffer* bytes,
                                              grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  v1::ListModelsRequest request;
  const Status parsed = ParseMessage(*bytes, &request);
  if (parsed.ok()) *response = ToBytes(ListAll());
  reactor->Finish(AnswerOf(parsed));
  return reactor;
}

v1::ListModelsResponse ModelsService::ListAll() {
  v1::ListModelsResponse response;
  for (const auto& [name, card] : catalog_->cards()) {
    *response.add_models() = Describe(card);
    response.mutable_models()->rbegin()->clear_parameters();
  }
  for (const std::string& reason : catalog_->left_out()) response.add_left_out(reason);
  return response;
}

grpc::ServerUnaryReactor* ModelsService::Get(grpc::CallbackServerContext* call,
                                             const grpc::ByteBuffer* bytes,
                                             grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  v1::GetModelRequest request;
  Status status = ParseMessage(*bytes, &request);
  if (status.ok()) {
    const config::ModelCard* card = catalog_->Find(request.name());
    if (card != nullptr) *response = ToBytes(Describe(*card));
    if (card == nullptr) {
      status = NotFound("there is no such model; there are: " + catalog_->Names());
    }
  }
  reactor->Finish(AnswerOf(status));
  return reactor;
}

}  // namespace phasor::gateway
