#include "services/render/render_request.h"

#include <string>

#include "common/picture/asked.h"

namespace phasor::render {

StatusOr<PictureSpec> MakePictureSpec(const RenderOptions& options, const config::ModelCard& card) {
  constexpr uint64_t kSeed = 0;  // the same picture at each call
  const PictureSpec spec = picture::Complete(options.asked, card.defaults, [] { return kSeed; });
  std::string problems;
  for (const FieldViolation& violation : picture::Validate(spec, card.limits)) {
    problems += (problems.empty() ? "" : "\n") + violation.field + ": " + violation.description;
  }
  if (!problems.empty()) return InvalidArgument(problems);
  return spec;
}

}  // namespace phasor::render
