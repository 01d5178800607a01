// What somebody asked for: some parameters, the others left to the model's card. Every door fills
// one of these, whatever its form; Complete makes it a PictureSpec. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/field_violation.h"
#include "common/base/status.h"
#include "common/picture/limits.h"
#include "common/picture/parameters.h"
#include "common/picture/picture_spec.h"

namespace phasor::picture {

class Asked {
 public:
  // Sets the parameter from text, as people type it. INVALID_ARGUMENT is a phrase without the name:
  // "must be a whole number, got 'x'". FAILED_PRECONDITION: no parameter that text can give.
  Status Read(const Parameter<PictureSpec>& parameter, const std::string& text);
  // The same by name. INVALID_ARGUMENT also for a name that is not known.
  Status Read(std::string_view name, const std::string& text);
  // Takes the value that `from` has.
  void Take(const Parameter<PictureSpec>& parameter, const PictureSpec& from);
  // What `other` asks for goes before what stands here.
  void Override(const Asked& other);

  bool Has(std::string_view name) const { return given_.contains(name); }
  // Those that are not given are at their fixed defaults.
  const PictureSpec& values() const { return values_; }

 private:
  PictureSpec values_;
  std::set<std::string_view> given_;  // names out of the table
};

// A parameter's value as Asked::Read takes it; empty for what no text can give.
std::string TextOf(const Parameter<PictureSpec>& parameter, const PictureSpec& spec);

// With what is not given: a drawn seed, and `defaults`, which are the card's.
PictureSpec Complete(const Asked& asked, const PictureSpec& defaults,
                     const std::function<uint64_t()>& draw_seed);

// UNIMPLEMENTED names a parameter that was given and that nothing draws yet.
Status CheckAvailable(const Asked& asked);

// Everything that is outside `limits`, field by field ("loras[1].weight"). Empty: valid. Whether
// the scheduler is known is the engine's to say.
std::vector<FieldViolation> Validate(const PictureSpec& spec, const Limits& limits);

}  // namespace phasor::picture
