// The files with which a process shows who it is to a server and knows the server. Paths; empty:
// none. Values.
#pragma once

#include "common/base/secret_file.h"
#include "common/tls/material.h"

namespace phasor::tls {

struct PeerFiles {
  LoginFiles login = {};
  Files tls = {};
};

}  // namespace phasor::tls
