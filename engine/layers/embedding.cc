#include "engine/layers/embedding.h"

#include "engine/tensor/beside.h"

namespace phasor::engine {

Embedding::Embedding(const WeightScope& weights, int64_t count, int64_t width)
    : weight_(weights.Get("weight", {count, width})) {}

at::Tensor Embedding::Forward(const at::Tensor& ids) const {
  const at::Tensor& table = *weight_;
  return at::embedding(table, Beside(ids, table.device()));  // [..., width]
}

at::Tensor Embedding::First(int64_t count) const { return weight_->narrow(0, 0, count); }

}  // namespace phasor::engine
