// phasor.v1.Models: List and Get from the cards, with what queue and workers say about each model.
// Both are raw and parse their requests themselves (message_bytes.h). Thread-safe; never blocks.
#pragma once

#include "phasor/v1/models.grpc.pb.h"
#include "services/gateway/flow/model_catalog.h"
#include "services/gateway/upkeep/queue_sampler.h"
#include "services/gateway/worker_registry.h"

namespace phasor::gateway {

using RawModels = v1::Models::WithRawCallbackMethod_List<
    v1::Models::WithRawCallbackMethod_Get<v1::Models::CallbackService>>;

class ModelsService final : public RawModels {
 public:
  // All outlive the service.
  ModelsService(const ModelCatalog* catalog, QueueSampler* sampler, WorkerRegistry* workers)
      : catalog_(catalog), sampler_(sampler), workers_(workers) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* call, const grpc::ByteBuffer* bytes,
                                 grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* call, const grpc::ByteBuffer* bytes,
                                grpc::ByteBuffer* response) override;

 private:
  v1::ListModelsResponse ListAll();
  v1::Model Describe(const config::ModelCard& card);

  const ModelCatalog* const catalog_;
  QueueSampler* const sampler_;
  WorkerRegistry* const workers_;
};

}  // namespace phasor::gateway
