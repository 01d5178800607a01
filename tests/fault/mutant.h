// Which mutant of the queue's scripts a test program runs: PHASOR_MUTANT in the environment, read
// while static objects are made. Absent or "none": the scripts as they are. Another name that is
// not known ends the program, so that no test can pass for having misspelt it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "common/queue/redis/scripts.h"

namespace phasor::queue::fault {

struct Variant {
  std::string_view mutant;
  Script script;
};

inline std::string_view ChosenMutant() {
  const char* const name = std::getenv("PHASOR_MUTANT");
  return name == nullptr ? "none" : name;
}

// The first one is the script as it is.
inline Script Chosen(std::initializer_list<Variant> variants) {
  for (const Variant& variant : variants) {
    if (variant.mutant == ChosenMutant()) return variant.script;
  }
  return variants.begin()->script;
}

inline bool IsKnown(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (name == ChosenMutant()) return true;
  }
  std::fprintf(stderr, "PHASOR_MUTANT names no mutant\n");
  std::_Exit(2);
}

}  // namespace phasor::queue::fault
