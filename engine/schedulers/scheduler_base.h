// What the scheduler classes share: the fixed schedule, the canonical config, and the defaults of
// classes that keep no history. Not part of the seam; only this folder's .cc files include it.
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/TensorOperators.h>

#include "engine/schedulers/scheduler.h"
#include "engine/schedulers/scheduler_keys.h"

namespace phasor::engine {

class SchedulerBase : public Scheduler {
 public:
  const std::vector<double>& timesteps() const override { return timesteps_; }
  double init_noise_sigma() const override { return 1.0; }
  at::Tensor ScaleInput(const at::Tensor& sample, int /*k*/) const override { return sample; }
  SchedulerState State() const override { return {}; }
  Status SetState(const SchedulerState& state, at::IntArrayRef sample_shape) override;
  std::string ClassName() const override { return class_name_; }
  nlohmann::json EffectiveConfig() const override { return effective_; }

 protected:
  SchedulerBase(std::string class_name, nlohmann::json effective)
      : class_name_(std::move(class_name)), effective_(std::move(effective)) {
    effective_["_class_name"] = class_name_;
  }

  // Throws c10::Error unless k is a call of the schedule.
  void CheckCall(int k) const;
  int64_t Timestep(int k) const { return static_cast<int64_t>(timesteps_[static_cast<size_t>(k)]); }

  std::vector<double> timesteps_;

 private:
  std::string class_name_;
  nlohmann::json effective_;
};

// The tensors of `state` under names[0], names[1], ...: INVALID_ARGUMENT if an entry is missing,
// unknown, not of `shape` or not floating point, or if a counter is not among `counters`.
StatusOr<std::vector<at::Tensor>> ReadState(const SchedulerState& state,
                                            const std::vector<std::string>& names,
                                            const std::vector<std::string>& counters,
                                            at::IntArrayRef shape);

// One factory a class; make_scheduler.cc holds the table. `config` has had its keys chosen.
using SchedulerFactory = StatusOr<std::unique_ptr<Scheduler>> (*)(const nlohmann::json& config,
                                                                  double eta);
StatusOr<std::unique_ptr<Scheduler>> MakeDdim(const nlohmann::json& config, double eta);
StatusOr<std::unique_ptr<Scheduler>> MakePndm(const nlohmann::json& config, double eta);
StatusOr<std::unique_ptr<Scheduler>> MakeEuler(const nlohmann::json& config, double eta);
StatusOr<std::unique_ptr<Scheduler>> MakeEulerAncestral(const nlohmann::json& config, double eta);
StatusOr<std::unique_ptr<Scheduler>> MakeDpmSolverMultistep(const nlohmann::json& config,
                                                            double eta);

}  // namespace phasor::engine
