// For tests: a TCP port of the loopback interface that nobody has now.
#pragma once

namespace phasor {

int FreePort();

}  // namespace phasor
