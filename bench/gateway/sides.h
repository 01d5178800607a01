// Which servers the gateway's benchmark compares, from its flags. One thread.
#pragma once

#include <string>
#include <vector>

#include "bench/gateway/rounds.h"
#include "common/base/status.h"
#include "common/flags/command.h"
#include "common/tls/material.h"

namespace phasor::bench {

// Addresses, empty: that side is left out; and what some sides need.
struct SideWords {
  std::string echo;
  std::string gateway;
  std::string guarded;   // asks for API keys
  std::string plain;     // the same gateway by TCP, for those with TLS to be compared with
  std::string tls;       // without a credential
  std::string tls_key;   // asks for API keys
  std::string mutual;    // asks for a certificate
  std::string key_file;  // with an API key
  tls::Files files;      // the authority, and a certificate to show
};

// `words` outlives the parsing.
void AddSides(flags::Command& line, SideWords* words);

// In the order in which they take turns. Errors name a file, or say that there is no side.
StatusOr<std::vector<Side>> PlanSides(const SideWords& words);

}  // namespace phasor::bench
