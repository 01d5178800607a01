// phasor.v1.Models: List and Get from the cards, with what queue and workers say about each model;
// Load, Unload and Preload as orders to workers. All are raw and parse their requests themselves
// (message_bytes.h). Thread-safe; never blocks.
#pragma once

#include <string>
#include <vector>

#include "phasor/v1/models.grpc.pb.h"
#include "services/gateway/flow/model_catalog.h"
#include "services/gateway/upkeep/queue_sampler.h"
#include "services/gateway/worker_orders.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

using RawModels = v1::Models::WithRawCallbackMethod_List<v1::Models::WithRawCallbackMethod_Get<
    v1::Models::WithRawCallbackMethod_Load<v1::Models::WithRawCallbackMethod_Unload<
        v1::Models::WithRawCallbackMethod_Preload<v1::Models::CallbackService>>>>>;

class ModelsService final : public RawModels {
 public:
  struct Parts {  // all outlive the service
    const ModelCatalog* catalog = nullptr;
    QueueSampler* sampler = nullptr;
    WorkerRegistry* workers = nullptr;
    WorkerOrders* orders = nullptr;
  };
  explicit ModelsService(const Parts& parts) : parts_(parts) {}

  using Call = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  using Bytes = grpc::ByteBuffer;
  Reactor* List(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Get(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Load(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Unload(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Preload(Call* call, const Bytes* bytes, Bytes* response) override;

 private:
  StatusOr<const config::ModelCard*> Find(const std::string& name) const;
  v1::ListModelsResponse ListAll();
  v1::Model Describe(const config::ModelCard& card);
  // `worker`, if it can run the model.
  Status CheckWorker(const std::string& worker, const std::string& model);
  StatusOr<std::string> ChooseWorker(const v1::LoadModelRequest& request);
  StatusOr<v1::Model> AskForMore(const v1::PreloadModelRequest& request);
  // Answers the call with the model once each of them has obeyed.
  void Order(const std::vector<std::string>& workers, const v1::GatewayMessage& message,
             const config::ModelCard& card, Reactor* reactor, Bytes* response);

  const Parts parts_;
};

}  // namespace phasor::gateway
