#include "services/gateway/grpc/models_service.h"

#include "common/rpc/status_convert.h"

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
                                              const v1::ListModelsRequest* /*request*/,
                                              v1::ListModelsResponse* response) {
  for (const auto& [name, card] : catalog_->cards()) {
    *response->add_models() = Describe(card);
    response->mutable_models()->rbegin()->clear_parameters();
  }
  for (const std::string& reason : catalog_->left_out()) response->add_left_out(reason);
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* ModelsService::Get(grpc::CallbackServerContext* call,
                                             const v1::GetModelRequest* request,
                                             v1::Model* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const config::ModelCard* card = catalog_->Find(request->name());
  if (card == nullptr) {
    reactor->Finish(
        rpc::ToGrpc(NotFound("there is no such model; there are: " + catalog_->Names())));
  } else {
    *response = Describe(*card);
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

}  // namespace phasor::gateway
