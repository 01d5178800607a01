#include "services/cli/address.h"

#include <cstdlib>

#include "common/base/file.h"

namespace phasor::cli {

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string DefaultFleetDirectory(const Environment& environment) {
  if (const auto directory = environment("PHASOR_DIR")) return *directory;
  if (const auto state = environment("XDG_STATE_HOME")) return *state + "/phasor";
  if (const auto home = environment("HOME")) return *home + "/.local/state/phasor";
  return "phasor-data";
}

std::string AddressFile(const std::string& directory) { return directory + "/address"; }

std::string FindAddress(const std::string& flag, const Environment& environment) {
  if (!flag.empty()) return flag;
  if (const auto address = environment("PHASOR_ADDRESS")) return *address;
  const auto file = ReadFile(AddressFile(DefaultFleetDirectory(environment)), 4096);
  if (file.ok()) {
    const std::string line = file->substr(0, file->find('\n'));
    if (!line.empty()) return line;
  }
  return "127.0.0.1:50051";
}

}  // namespace phasor::cli
