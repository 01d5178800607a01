// Two runs with the same fingerprint give the same bytes; a checkpoint is only taken up by a run
// of its fingerprint. What can't be kept bit-identical is part of it: device, threads, processor,
// library versions. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/api/engine.h"

namespace phasor::engine {

// How this process computes.
struct EngineFacts {
  std::string device;
  std::string dtype;
  int threads = 0;
  std::string versions;        // of the libraries
  std::string processor = {};  // what they choose kernels by, and a sample of what these give
  std::string weights = {};    // the form that they are stored in; empty: as they compute
  std::string compute = {};    // what was switched (compute_policy.h); empty: nothing
};

// In place of a tile: whole, by another processor than the run's.
inline constexpr int kHostDecoded = -1;

// What was computed in pieces (engine/memory/cuts.h), from when on.
struct CutsTaken {
  int split_guidance_from = -1;  // step; -1: never
  std::vector<int> vae_tiles;    // one per picture that is decoded; 0: whole; or kHostDecoded

  bool none() const;
};

// Hex SHA-256. `scheduler` is its effective config, `initial_noise` the hex SHA-256 of noise that
// was given instead of drawn, else empty.
std::string Fingerprint(const EngineFacts& facts, const ModelInfo& model,
                        const nlohmann::json& scheduler, const PictureSpec& spec,
                        const std::string& initial_noise, const CutsTaken& cuts = {});

}  // namespace phasor::engine
