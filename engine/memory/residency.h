// Moves a model's parts to and from the device as its runs go from phase to phase. The one place
// that does: families declare parts, layers hold handles.
//
// One thread, the device's. Enter throws what LibTorch throws.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/device/device.h"
#include "engine/memory/model_part.h"
#include "engine/memory/residency_plan.h"
#include "engine/weights/quantised_file.h"

namespace phasor::engine {

class Residency {
 public:
  // `source` names the model, for what of it is cached; a part's name is put in.
  // The clock outlives it.
  Residency(std::vector<ModelPart> parts, std::shared_ptr<Device> device, const Clock& clock,
            QuantisedSource source = {});
  ~Residency();

  // Makes the parts ready to be entered in this form, on the host: from the cache, or at the cost
  // of some seconds for each GiB. Moves nothing. Errors and the sentences returned as of BringForm.
  StatusOr<std::vector<std::string>> Bring(WeightForm form,
                                           const std::function<void()>& on_weight = {});

  // Makes the device ready for a unit of this phase, which the plan has. What it has no place for
  // leaves before anything comes, and doesn't count towards the phase's peak. Nothing
  // happens between units of one phase. The form has been brought. After an exception the call may
  // be repeated. False: nothing moved.
  bool Enter(const ResidencyPlan& plan, UnitKind phase);

  // Takes everything off the device. The next Enter brings back what it needs.
  void Leave();

  // Whether the device's memory is not the host's.
  bool IsApart() const { return device_->host_memory() == HostMemory::kApart; }

  // What was brought ahead of use since this was made.
  FetchCount Fetched() const;

  // What is on the device, by part.
  std::vector<std::pair<std::string, uint64_t>> Held() const;

  // What a plan reckons with: the parts' sizes, and the device's memory without what they hold.
  ModelSizes Sizes(WeightForm form) const;
  MemoryBudget Budget() const;
  LibraryAllowance Libraries() const { return device_->libraries(); }

 private:
  struct Entered {
    std::vector<PlannedPart> parts;
    WeightForm form;
    UnitKind phase;
    bool operator==(const Entered&) const = default;
  };
  const std::vector<ModelPart> parts_;
  const std::shared_ptr<Device> device_;
  const Clock& clock_;
  const QuantisedSource source_;
  std::optional<Entered> entered_;
};

}  // namespace phasor::engine
