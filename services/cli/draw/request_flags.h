// The flags that say what to draw, and the request they make. Values outside a model's limits go
// to the gateway as they are: it knows the limits. One thread; the flags outlive the parsing.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/flags/command.h"
#include "common/picture/asked.h"
#include "phasor/v1/types.pb.h"

namespace phasor::cli {

struct RequestFlags {
  std::vector<std::string> prompts;
  std::string prompts_file;
  std::string from_png;  // a picture whose request this one begins with; empty: none
  picture::Asked asked;  // everything else about the picture
  std::string model;
  std::string priority = "normal";
  double deadline_seconds = 0;
  std::string strategy;
  bool allow_degradation = false;
  std::string key;
};

void AddRequestFlags(flags::Command& command, RequestFlags* flags);

// One request for each prompt, or for the prompt of the picture that it begins with, each with an
// idempotency key: "<key>" or, of several, "<key>-<n>". Without a key a random one.
// INVALID_ARGUMENT: no prompt, an unreadable file, an unknown priority
// or strategy.
StatusOr<std::vector<v1::GenerateRequest>> MakeRequests(const RequestFlags& flags);

}  // namespace phasor::cli
