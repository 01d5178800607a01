#include "engine/api/check_spec.h"

#include <algorithm>

#include "common/picture/asked.h"
#include "engine/api/schedulers.h"

namespace phasor::engine {
namespace {

Status CheckScheduler(const std::string& name, const ModelInfo& model) {
  if (name.empty()) return OkStatus();
  const auto found = FindScheduler(name);
  const bool runs = found && std::find(model.schedulers.begin(), model.schedulers.end(),
                                       found->class_name) != model.schedulers.end();
  if (runs) return OkStatus();
  return InvalidArgument("scheduler: unknown name '" + name + "', known are " + SchedulerAliases());
}

}  // namespace

Status CheckSpec(const PictureSpec& spec, const ModelInfo& model) {
  // What the arithmetic stands, not what is sensible: the model card limits that.
  picture::Limits limits = picture::WidestLimits();
  limits.min_size = limits.size_multiple = model.size_multiple;
  const std::vector<FieldViolation> wrong = picture::Validate(spec, limits);
  if (!wrong.empty()) {
    return InvalidArgument(wrong.front().field + ": " + wrong.front().description);
  }
  return CheckScheduler(spec.scheduler, model);
}

}  // namespace phasor::engine
