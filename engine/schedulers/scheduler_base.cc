#include "engine/schedulers/scheduler_base.h"

#include <algorithm>

namespace phasor::engine {

Status SchedulerBase::SetState(const SchedulerState& state, at::IntArrayRef sample_shape) {
  return ReadState(state, {}, {}, sample_shape).status();
}

void SchedulerBase::CheckCall(int k) const {
  TORCH_CHECK(k >= 0 && static_cast<size_t>(k) < timesteps_.size(), class_name_, ": call ", k,
              " of a schedule of ", timesteps_.size());
}

StatusOr<std::vector<at::Tensor>> ReadState(const SchedulerState& state,
                                            const std::vector<std::string>& names,
                                            const std::vector<std::string>& counters,
                                            at::IntArrayRef shape) {
  std::vector<at::Tensor> tensors;
  for (const std::string& name : names) {
    auto it = state.tensors.find(name);
    if (it == state.tensors.end() || !it->second.defined()) {
      return InvalidArgument("scheduler state: tensor " + name + " is missing");
    }
    if (it->second.sizes() != shape || !it->second.is_floating_point()) {
      return InvalidArgument("scheduler state: tensor " + name +
                             " has another shape or type than " + "the latents");
    }
    tensors.push_back(it->second);
  }
  for (const auto& [name, tensor] : state.tensors) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return InvalidArgument("scheduler state: unexpected tensor " + name);
    }
  }
  for (const auto& [name, value] : state.counters) {
    if (std::find(counters.begin(), counters.end(), name) == counters.end()) {
      return InvalidArgument("scheduler state: unexpected counter " + name);
    }
  }
  for (const std::string& name : counters) {
    if (!state.counters.contains(name)) {
      return InvalidArgument("scheduler state: counter " + name + " is missing");
    }
  }
  return tensors;
}

}  // namespace phasor::engine
