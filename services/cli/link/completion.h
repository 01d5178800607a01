// `phasor completion bash|zsh|fish`: scripts made from the commands themselves, so they never lag
// behind. Pure.
#pragma once

#include <string>
#include "common/flags/command.h"

namespace phasor::cli {

// `shell`: "bash", "zsh" or "fish".
std::string CompletionScript(const flags::Command& line, const std::string& shell);

// Prints the script when parsing ends. `line` outlives the parsing.
void AddCompletion(flags::Command& line, std::ostream& out);

}  // namespace phasor::cli
