#include "common/job/generate_spec.h"

#include <algorithm>
#include <cmath>

#include "common/picture/asked.h"

namespace phasor::job {

std::vector<FieldViolation> Validate(const GenerateSpec& spec, const config::ModelCard& card) {
  std::vector<FieldViolation> violations = picture::Validate(spec.picture, card.limits);
  if (spec.preview_every < 0 || spec.preview_every > card.limits.max_steps) {
    violations.push_back({"preview_every", "must be between 0 and " +
                                               std::to_string(card.limits.max_steps) + ", got " +
                                               std::to_string(spec.preview_every)});
  }
  return violations;
}

int64_t Cost(const PictureSpec& picture) {
  const double megapixels = picture.width * 1e-6 * picture.height;
  const double passes = picture.guidance_scale > 1 ? 2 : 1;
  const double cost = picture.steps * megapixels * picture.images * passes;
  return std::max<int64_t>(1, std::llround(cost));
}

}  // namespace phasor::job
