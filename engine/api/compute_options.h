// How networks compute beside the type they compute in: switches that decide bytes, speed or what
// is planned, each named once. Flags, settings and checks are made from the table; what a switch
// does is decided by engine/cuda/compute_policy.h. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::engine {

// Words, each one of its row of the table; empty is "auto".
struct ComputeOptions {
  std::string tf32;
  std::string attention;
  std::string channels_last;
  std::string library_memory;
};

struct ComputeSwitch {
  std::string key;                 // of a setting: "channels_last"
  std::vector<std::string> words;  // that it takes; the first is the default
  std::string help;
  bool takes_size = false;  // of memory, as well as its words
  std::string ComputeOptions::*word = nullptr;

  std::string flag() const;  // "--channels-last"
  std::string hint() const;  // its words and the help
};

// Adding a switch is a row here, its word above and its effect in compute_policy.
const std::vector<ComputeSwitch>& ComputeSwitches();

// The word that holds: "auto" where none is given.
std::string WordOf(const ComputeOptions& options, std::string ComputeOptions::*word);

// What is to be left to a card's libraries; nullopt: what they are told they may take. Of options
// that passed CheckCompute.
std::optional<uint64_t> LibraryBytes(const ComputeOptions& options);

// INVALID_ARGUMENT begins with the key ("tf32: must be one of auto, on, off, got 'maybe'").
Status CheckCompute(const ComputeOptions& options);

}  // namespace phasor::engine
