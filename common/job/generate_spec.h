// A generation request with every default filled in: what the queue carries and a worker runs.
// Plain values; checks are pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/field_violation.h"
#include "common/config/model_card.h"
#include "common/job/types.h"
#include "common/picture/picture_spec.h"

namespace phasor::job {

// What is to be drawn, and beside it what concerns the job alone.
struct GenerateSpec {
  std::string model;
  PictureSpec picture;
  int preview_every = 0;  // steps between previews, 0: none
  Priority priority = Priority::kNormal;
  int64_t deadline_ms = 0;     // wall clock, 0: none
  int64_t deadline_in_ms = 0;  // instead: from the submit on, 0: none
  // How its worker shares the device's memory, by the API's names; empty: as the worker does
  // otherwise. Decides no byte of a picture.
  std::string strategy = {};
  bool allow_degradation = false;  // memory may cost resolution as the last resort
};

// Checks a spec against the model's limits. Empty: valid. Nothing is allocated before.
std::vector<FieldViolation> Validate(const GenerateSpec& spec, const config::ModelCard& card);

// What the spec costs the queue's fair shares: steps x megapixels x images x (2 with guidance),
// at least 1.
int64_t Cost(const PictureSpec& picture);

}  // namespace phasor::job
