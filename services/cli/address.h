// Where a gateway and a fleet's directory are, when nobody says so. Pure but for reading the
// environment and one small file.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace phasor::cli {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> ProcessEnvironment(const std::string& name);

// PHASOR_DIR, else phasor below XDG_STATE_HOME or ~/.local/state, else ./phasor-data.
std::string DefaultFleetDirectory(const Environment& environment);

// The file in a fleet's directory that says where its gateway listens.
std::string AddressFile(const std::string& directory);

// `flag` if not empty, else PHASOR_ADDRESS, else the address file of the default directory, else
// 127.0.0.1:50051.
std::string FindAddress(const std::string& flag, const Environment& environment);

}  // namespace phasor::cli
