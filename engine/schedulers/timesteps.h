// Which of the training timesteps are visited: diffusers' timestep_spacing, in double as numpy
// computes it, rounded half to even (Lin et al. 2023, arXiv:2305.08891, table 2).
//
// Values are descending. Classes differ in details, so there is one function per group. For some
// step counts numpy's arange yields one value too many (-1, a rounding artefact) with "trailing";
// these functions give exactly the steps asked for. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/schedulers/scheduler_keys.h"

namespace phasor::engine {

struct SpacingConfig {
  int64_t train_steps = 1000;
  std::string spacing = "leading";  // linspace, leading, trailing
  int64_t offset = 0;               // steps_offset; used by "leading"
};

// Reads timestep_spacing and steps_offset.
SpacingConfig ReadSpacingConfig(SchedulerKeys& keys, int64_t train_steps,
                                const std::string& default_spacing);

// INVALID_ARGUMENT naming "steps" unless 1 <= steps <= train_steps.
Status CheckSteps(int steps, int64_t train_steps);

// numpy.linspace: the last entry is exactly `stop`; one point gives `start`.
std::vector<double> Linspace(double start, double stop, int64_t count);

// DDIM, PNDM (whole numbers).
std::vector<double> RoundedTimesteps(const SpacingConfig& config, int steps);

// Euler, Euler ancestral: as RoundedTimesteps, but linspace keeps fractions; each value is a
// float.
std::vector<double> FractionalTimesteps(const SpacingConfig& config, int steps);

// DPM-Solver++ multistep: one more interval, so that t = 0 is left out. `last` replaces
// train_steps as the start (lambda_min_clipped); "trailing" then gives fewer than `steps`.
std::vector<double> SolverTimesteps(const SpacingConfig& config, int steps, int64_t last);

}  // namespace phasor::engine
