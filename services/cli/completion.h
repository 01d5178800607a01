// `phasor completion bash|zsh|fish`: scripts made from the commands themselves, so they never lag
// behind. Pure.
#pragma once

#include <string>

#include <CLI/App.hpp>

namespace phasor::cli {

// `shell`: "bash", "zsh" or "fish".
std::string CompletionScript(const CLI::App& app, const std::string& shell);

// Prints the script when parsing ends. `app` outlives the parsing.
void AddCompletion(CLI::App& app, std::ostream& out);

}  // namespace phasor::cli
