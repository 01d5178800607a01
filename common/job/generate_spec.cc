#include "common/job/generate_spec.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/base/utf8.h"

namespace phasor::job {
namespace {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

// Collects violations; each Check names the field, the rule and the value.
class Checks {
 public:
  void Range(const std::string& field, double value, double low, double high) {
    if (std::isfinite(value) && value >= low && value <= high) return;
    Add(field,
        "must be between " + Number(low) + " and " + Number(high) + ", got " + Number(value));
  }
  void Multiple(const std::string& field, int value, int of) {
    if (value % of == 0) return;
    Add(field, "must be a multiple of " + std::to_string(of) + ", got " + std::to_string(value));
  }
  void Text(const std::string& field, const std::string& text, uint64_t max_bytes) {
    if (text.size() > max_bytes) {
      Add(field, "has " + std::to_string(text.size()) + " bytes; the limit is " +
                     std::to_string(max_bytes));
    } else if (!IsUtf8Text(text)) {
      Add(field, "must be UTF-8 without NUL characters");
    }
  }
  void Add(const std::string& field, const std::string& description) {
    violations_.push_back({field, description});
  }
  std::vector<FieldViolation> Take() { return std::move(violations_); }

 private:
  std::vector<FieldViolation> violations_;
};

}  // namespace

std::vector<FieldViolation> Validate(const GenerateSpec& spec, const config::ModelCard& card) {
  const config::ModelLimits& limits = card.limits;
  Checks checks;
  checks.Text("prompt", spec.prompt, limits.max_prompt_bytes);
  checks.Text("negative_prompt", spec.negative_prompt, limits.max_prompt_bytes);
  checks.Range("width", spec.width, limits.min_size, limits.max_size);
  checks.Multiple("width", spec.width, limits.size_multiple);
  checks.Range("height", spec.height, limits.min_size, limits.max_size);
  checks.Multiple("height", spec.height, limits.size_multiple);
  checks.Range("steps", spec.steps, 1, limits.max_steps);
  checks.Range("guidance_scale", spec.guidance_scale, 0, limits.max_guidance_scale);
  checks.Range("guidance_rescale", spec.guidance_rescale, 0, 1);
  checks.Range("eta", spec.eta, 0, 1);
  checks.Range("clip_skip", spec.clip_skip, 0, limits.max_clip_skip);
  checks.Range("images", spec.images, 1, limits.max_images);
  checks.Range("preview_every", spec.preview_every, 0, limits.max_steps);
  return checks.Take();
}

int64_t Cost(const GenerateSpec& spec) {
  const double megapixels = spec.width * 1e-6 * spec.height;
  const double passes = spec.guidance_scale > 1 ? 2 : 1;
  const double cost = spec.steps * megapixels * spec.images * passes;
  return std::max<int64_t>(1, std::llround(cost));
}

}  // namespace phasor::job
