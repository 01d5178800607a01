// A table lookup. One thread; keeps a handle to its table.
#pragma once

#include "engine/weights/weight_store.h"

namespace phasor::engine {

class Embedding {
 public:
  Embedding(const WeightScope& weights, int64_t count, int64_t width);

  at::Tensor Forward(
      const at::Tensor& ids) const;       // int64 [...], from the host, too -> [..., width]
  at::Tensor First(int64_t count) const;  // [count, width]

 private:
  Weight weight_;  // [count, width]
};

}  // namespace phasor::engine
