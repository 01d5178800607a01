// What the gateway's tests share: a model card, requests, and a worker's moves on the queue.
// One thread.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/config/model_card.h"
#include "common/queue/memory/memory_queue.h"
#include "common/rpc/result_convert.h"
#include "common/storage/memory_store.h"
#include "phasor/v1/types.pb.h"

namespace phasor::gateway {

inline config::ModelCard DemoCard() {
  config::ModelCard card;
  card.name = "demo";
  card.family = "sd1";
  card.defaults.width = 128;
  card.defaults.height = 96;
  card.defaults.steps = 20;
  card.defaults.guidance_scale = 4;
  card.defaults.scheduler = "dpmpp_2m";
  card.limits.max_size = 512;
  return card;
}

inline v1::GenerateRequest DemoRequest() {
  v1::GenerateRequest request;
  request.set_model("demo");
  request.set_prompt("a red circle");
  return request;
}

// A terminal record without pictures.
inline storage::TerminalRecord Ended(const job::JobId& id, job::State state,
                                     const std::string& code = "", const std::string& reason = "") {
  storage::TerminalRecord record;
  record.id = id;
  record.state = state;
  record.code = code;
  record.reason = reason;
  record.finished_ms = 5;
  return record;
}

// Queue and store in memory, with the moves of a worker.
struct MemoryFleet {
  FakeClock clock;
  queue::MemoryQueue queue{clock};
  storage::MemoryStore store{clock};

  // Takes the next job, which must be there.
  queue::Grant Take() {
    auto grant =
        queue.Take({.worker = "w1", .node = "n1", .nonce = RandomToken(), .models = {"demo"}});
    return grant.ok() && *grant ? **grant : queue::Grant{};
  }

  // Fails the job for good and does what a sealer does.
  void Kill(const queue::Grant& grant, const std::string& reason) {
    (void)queue.Fail({.fence = grant.fence, .reason = reason, .code = "INTERNAL"});
    (void)store.CreateTerminal(Ended(grant.fence.id, job::State::kDead, "INTERNAL", reason));
    (void)queue.Adopt(grant.fence.id, job::State::kDead, storage::TerminalKey(grant.fence.id));
  }

  // Publishes `pictures` and completes the job.
  Status Finish(const queue::Grant& grant, const std::vector<std::string>& pictures) {
    storage::TerminalRecord record;
    record.id = grant.fence.id;
    record.epoch = grant.fence.epoch;
    record.nonce = grant.fence.nonce;
    record.worker = "w1";
    record.finished_ms = clock.WallMillis();
    for (size_t i = 0; i < pictures.size(); ++i) {
      const std::string key = storage::BlobKey(grant.fence.id, grant.fence.epoch, grant.fence.nonce,
                                               static_cast<int>(i));
      RETURN_IF_ERROR(store.Put(key, pictures[i]));
      record.images.push_back({.blob = key,
                               .sha256 = Sha256Hex(pictures[i]),
                               .bytes = pictures[i].size(),
                               .seed = 7 + i,
                               .width = 128,
                               .height = 96});
    }
    v1::Result told;
    told.set_attempts(1);
    record.details = rpc::EncodeDetails(told);
    RETURN_IF_ERROR(store.CreateTerminal(record).status());
    return queue.Complete(grant.fence, storage::TerminalKey(grant.fence.id)).status();
  }
};

}  // namespace phasor::gateway
