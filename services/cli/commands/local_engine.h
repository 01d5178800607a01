// Pictures drawn on this machine by phasor-render, without a fleet. One thread.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/picture/asked.h"

namespace phasor::cli {

class LocalEngine {
 public:
  // `program`: phasor-render; `model`: the model's directory.
  LocalEngine(std::string program, std::string model)
      : program_(std::move(program)), model_(std::move(model)) {}

  // The first picture's file; `strategy` as --strategy takes it, empty: none is named.
  // FAILED_PRECONDITION: the program is not there; otherwise what it says is the message, and the
  // code INVALID_ARGUMENT or UNKNOWN.
  StatusOr<std::string> Draw(const picture::Asked& asked, const std::string& strategy) const;

  // What it prints for --plan with these flags, and its exit code (4: not expected to fit). Errors
  // as above.
  struct Plan {
    std::string text;
    bool fits = false;
  };
  StatusOr<Plan> PlanOf(const std::vector<std::string>& flags) const;

  // Where phasor-render is unless somebody says otherwise: beside this program.
  static std::string DefaultProgram();

 private:
  const std::string program_;
  const std::string model_;
};

}  // namespace phasor::cli
