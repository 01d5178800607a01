// The models that a worker offers with each take: resident ones first, for they need no loading.
// One take may name queue::kMaxModelsOffered; a worker that can run more offers the others in
// turns. Pure. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/queue/types.h"

namespace phasor::worker {

class Offer {
 public:
  // `models`: all that the worker can run.
  explicit Offer(std::vector<std::string> models, size_t most = queue::kMaxModelsOffered)
      : models_(std::move(models)), most_(most) {}

  // `resident`: most recently used first. `may`: whether jobs of the model are taken now.
  std::vector<std::string> Next(const std::vector<std::string>& resident,
                                const std::function<bool(const std::string&)>& may);
  // True once every model had its turn since the last round: a take that found nothing then means
  // that there is nothing.
  bool RoundIsOver() const { return turn_ == 0; }

 private:
  const std::vector<std::string> models_;
  const size_t most_;
  size_t turn_ = 0;  // of the models that are not resident, the first of the next offer
};

}  // namespace phasor::worker
