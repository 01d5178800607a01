// How bench/fleet_sim/measure.py drives a fleet. The program prints "ready" once all workers are
// connected and then reads lines: "work RATE SECONDS" sets how many jobs come a second and how long
// one takes, "begin" forgets what was measured, "report" prints it as JSON on one line. The end of
// the input is the fleet's.
#pragma once

#include <istream>
#include <ostream>

#include "bench/fleet_sim/fleet_load.h"

namespace phasor::bench {

Status Obey(const FleetLoad& load, std::istream& in, std::ostream& out);

}  // namespace phasor::bench
