#include "services/gateway/grpc/models_service.h"

#include <algorithm>
#include <memory>

#include "common/base/mutex.h"
#include "common/rpc/status_convert.h"
#include "services/gateway/flow/model_placement.h"
#include "services/gateway/grpc/message_bytes.h"

namespace phasor::gateway {
namespace {

// Workers that obey one call.
struct Obeying {
  Mutex mu;
  size_t left GUARDED_BY(mu) = 0;
  Status first GUARDED_BY(mu);  // error
};

grpc::ServerUnaryReactor* End(grpc::ServerUnaryReactor* reactor, const Status& status) {
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

}  // namespace

StatusOr<const config::ModelCard*> ModelsService::Find(const std::string& name) const {
  const config::ModelCard* card = parts_.catalog->Find(name);
  if (card == nullptr) {
    return NotFound("there is no such model; there are: " + parts_.catalog->Names());
  }
  return card;
}

v1::Model ModelsService::Describe(const config::ModelCard& card) {
  v1::Model model = ToProto(card);
  model.set_workers_ready(parts_.workers->ReadyFor(card.name));
  const std::vector<v1::WorkerStats> workers = parts_.workers->For(card.name);
  model.set_workers_resident(static_cast<int>(HoldersOf(workers, card.name).size()));
  for (const auto& [digest, names] : HoldersByDigest(workers, card.name)) {
    v1::WeightsHeld* held = model.add_weights();
    held->set_digest(digest);
    held->mutable_workers()->Add(names.begin(), names.end());
  }
  const queue::QueueStats stats = parts_.sampler->latest();
  if (const auto found = stats.models.find(card.name); found != stats.models.end()) {
    for (const auto& [priority, ready] : found->second.ready) {
      model.set_queued(model.queued() + ready);
    }
    model.set_running(found->second.running);
  }
  return model;
}

v1::ListModelsResponse ModelsService::ListAll() {
  v1::ListModelsResponse response;
  for (const auto& [name, card] : parts_.catalog->cards()) {
    *response.add_models() = Describe(card);
    response.mutable_models()->rbegin()->clear_parameters();
  }
  for (const std::string& reason : parts_.catalog->left_out()) response.add_left_out(reason);
  return response;
}

ModelsService::Reactor* ModelsService::List(Call* call, const Bytes* bytes, Bytes* response) {
  v1::ListModelsRequest request;
  const Status parsed = ParseMessage(*bytes, &request);
  if (parsed.ok()) *response = ToBytes(ListAll());
  return End(call->DefaultReactor(), parsed);
}

ModelsService::Reactor* ModelsService::Get(Call* call, const Bytes* bytes, Bytes* response) {
  v1::GetModelRequest request;
  if (const Status parsed = ParseMessage(*bytes, &request); !parsed.ok()) {
    return End(call->DefaultReactor(), parsed);
  }
  const auto card = Find(request.name());
  if (card.ok()) *response = ToBytes(Describe(**card));
  return End(call->DefaultReactor(), card.status());
}

Status ModelsService::CheckWorker(const std::string& worker, const std::string& model) {
  RETURN_IF_ERROR(parts_.workers->Find(worker).status());
  for (const v1::WorkerStats& stats : parts_.workers->For(model)) {
    if (stats.name() == worker) return OkStatus();
  }
  return FailedPrecondition("worker " + worker + " can't run " + model);
}

StatusOr<std::string> ModelsService::ChooseWorker(const v1::LoadModelRequest& request) {
  if (!request.worker().empty()) {
    RETURN_IF_ERROR(CheckWorker(request.worker(), request.name()));
    return request.worker();
  }
  const auto workers = parts_.workers->For(request.name());
  auto names = PlacesFor(workers, request.name(), 1);
  if (names.empty()) names = HoldersOf(workers, request.name());
  if (names.empty()) {
    return FailedPrecondition("no worker that takes jobs can run " + request.name());
  }
  return names.front();
}

ModelsService::Reactor* ModelsService::Load(Call* call, const Bytes* bytes, Bytes* response) {
  Reactor* reactor = call->DefaultReactor();
  v1::LoadModelRequest asked;
  if (const Status parsed = ParseMessage(*bytes, &asked); !parsed.ok()) {
    return End(reactor, parsed);
  }
  const auto card = Find(asked.name());
  if (!card.ok()) return End(reactor, card.status());
  asked.set_name((*card)->name);
  const auto worker = ChooseWorker(asked);
  if (!worker.ok()) return End(reactor, worker.status());
  v1::GatewayMessage message;
  message.mutable_preload()->set_model((*card)->name);
  message.mutable_preload()->set_pin(asked.pin());
  Order({*worker}, message, **card, reactor, response);
  return reactor;
}

ModelsService::Reactor* ModelsService::Unload(Call* call, const Bytes* bytes, Bytes* response) {
  Reactor* reactor = call->DefaultReactor();
  v1::UnloadModelRequest request;
  if (const Status parsed = ParseMessage(*bytes, &request); !parsed.ok()) {
    return End(reactor, parsed);
  }
  const auto card = Find(request.name());
  if (!card.ok()) return End(reactor, card.status());
  const std::string& name = (*card)->name;
  std::vector<std::string> workers = {request.worker()};
  if (request.worker().empty()) {
    workers = HoldersOf(parts_.workers->For(name), name);
  } else if (const Status can = CheckWorker(request.worker(), name); !can.ok()) {
    return End(reactor, can);
  }
  v1::GatewayMessage message;
  message.mutable_unload()->set_model(name);
  Order(workers, message, **card, reactor, response);
  return reactor;
}

void ModelsService::Order(const std::vector<std::string>& workers,
                          const v1::GatewayMessage& message, const config::ModelCard& card,
                          Reactor* reactor, Bytes* response) {
  if (workers.empty()) {
    *response = ToBytes(Describe(card));
    End(reactor, OkStatus());
    return;
  }
  auto obeying = std::make_shared<Obeying>();
  {
    MutexLock lock(&obeying->mu);
    obeying->left = workers.size();
  }
  for (const std::string& worker : workers) {
    parts_.orders->Send(worker, message, [=, this, &card](const StatusOr<int64_t>& done) {
      Status end;
      {
        MutexLock lock(&obeying->mu);
        if (obeying->first.ok()) obeying->first = done.status();
        if (--obeying->left > 0) return;
        end = obeying->first;
      }
      if (end.ok()) *response = ToBytes(Describe(card));
      End(reactor, end);
    });
  }
}

StatusOr<v1::Model> ModelsService::AskForMore(const v1::PreloadModelRequest& request) {
  ASSIGN_OR_RETURN(const config::ModelCard* card, Find(request.name()));
  const size_t wanted = static_cast<size_t>(std::max(1, request.workers()));
  const auto workers = parts_.workers->For(card->name);
  const size_t held = HoldersOf(workers, card->name).size();
  if (held < wanted) {
    const auto places = PlacesFor(workers, card->name, wanted - held);
    if (held + places.size() < wanted) {
      return FailedPrecondition("only " + std::to_string(held + places.size()) + " of " +
                                std::to_string(wanted) + " workers that take jobs can hold " +
                                card->name);
    }
    v1::GatewayMessage message;
    message.mutable_preload()->set_model(card->name);
    for (const std::string& worker : places) parts_.workers->SendTo(worker, message);
  }
  return Describe(*card);
}

ModelsService::Reactor* ModelsService::Preload(Call* call, const Bytes* bytes, Bytes* response) {
  v1::PreloadModelRequest request;
  if (const Status parsed = ParseMessage(*bytes, &request); !parsed.ok()) {
    return End(call->DefaultReactor(), parsed);
  }
  const auto model = AskForMore(request);
  if (model.ok()) *response = ToBytes(*model);
  return End(call->DefaultReactor(), model.status());
}

}  // namespace phasor::gateway
