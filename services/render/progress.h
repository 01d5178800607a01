// Progress of a render for people (a bar on a terminal) and programs (a line of JSON per unit).
// One thread.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "engine/api/engine.h"
#include "services/render/render_options.h"

namespace phasor::render {

class Progress {
 public:
  virtual ~Progress() = default;
  // A unit is about to begin, or kDone: all are done. Called in order.
  virtual void Show(const engine::Unit& next) = 0;
};

// Seconds until the phase of `next` is over; 0: not known yet.
double SecondsLeft(const engine::Unit& next);

// "denoise [#######.......] 10/20  1.4 s left", without a line end.
std::string ProgressBar(const engine::Unit& next);

// {"phase":"denoise","done":10,"total":20,"seconds_left":1.4}; phases are encode, denoise, decode
// and done.
std::string ProgressJson(const engine::Unit& next);

// kAuto draws a bar on `err` if it is a terminal, else nothing; kJson writes lines to `out`.
std::unique_ptr<Progress> MakeProgress(ProgressMode mode, bool err_is_terminal, std::ostream& out,
                                       std::ostream& err);

}  // namespace phasor::render
