// What is wrong with one field of what somebody sent. Plain value.
#pragma once

#include <string>

namespace phasor {

// One field that a request got wrong: "width" and "must be a multiple of 8, got 7".
struct FieldViolation {
  std::string field;
  std::string description;
};

}  // namespace phasor
