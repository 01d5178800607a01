// Settings by name for what people have: how much of the device and of the host's memory a program
// takes. Every setting may still be given and then wins. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor::engine {

struct Preset {
  std::string_view name;
  std::string_view what;    // for whom, a phrase
  std::string_view device;  // as EngineOptions has it
  uint64_t card_bytes = 0;  // of memory that the card has at least; 0: none is needed
  // What is taken of the card; 0: no bound. Driver, libraries and a desktop need the rest.
  uint64_t vram_bytes = 0;
  int models = 1;           // held in memory
  bool load_alone = false;  // idle models leave the device before another one is loaded
  uint64_t embedding_cache_bytes = 0;
  uint64_t result_cache_bytes = 0;
};

std::span<const Preset> Presets();

// "4gb, 8gb, 24gb, cpu"
std::string PresetNames();

// INVALID_ARGUMENT with a phrase that lists the names.
StatusOr<Preset> FindPreset(std::string_view name);

// Of the largest card that one with so much memory can stand for; of no card for 0 or too little.
const Preset& PresetFor(uint64_t card_bytes);

}  // namespace phasor::engine
