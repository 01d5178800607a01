#include "services/cli/link/address.h"

#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "common/base/environment.h"
#include "common/base/file.h"

namespace phasor::cli {
namespace {

constexpr size_t kMaxAddressFile = 64 << 10;

// The parts of `text` between separators, empty ones left out.
void AddWords(const std::string& text, char separator, std::vector<std::string>* words) {
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, separator);) {
    if (!part.empty()) words->push_back(part);
  }
}

}  // namespace

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const auto value = ReadVariable(name);
  if (!value.ok() || value->empty()) return std::nullopt;
  return *value;
}

std::string DefaultFleetDirectory(const Environment& environment) {
  if (const auto directory = environment("PHASOR_DIR")) return *directory;
  if (const auto state = environment("XDG_STATE_HOME")) return *state + "/phasor";
  if (const auto home = environment("HOME")) return *home + "/.local/state/phasor";
  return "phasor-data";
}

std::string AddressFile(const std::string& directory) { return directory + "/address"; }

std::vector<std::string> FindAddresses(const std::vector<std::string>& flags,
                                       const Environment& environment) {
  std::vector<std::string> found;
  for (const std::string& flag : flags) AddWords(flag, ',', &found);
  if (found.empty()) AddWords(environment("PHASOR_ADDRESS").value_or(""), ',', &found);
  if (found.empty()) {
    const auto file = ReadFile(AddressFile(DefaultFleetDirectory(environment)), kMaxAddressFile);
    if (file.ok()) AddWords(*file, '\n', &found);
  }
  if (found.empty()) found.push_back("127.0.0.1:50051");
  return found;
}

std::vector<std::string> FindAdminAddresses(const std::vector<std::string>& flags,
                                            const Environment& environment) {
  std::vector<std::string> found;
  for (const std::string& flag : flags) AddWords(flag, ',', &found);
  if (found.empty()) AddWords(environment("PHASOR_ADMIN_ADDRESS").value_or(""), ',', &found);
  return found;
}

std::string AuthorityFile(const std::string& directory) { return directory + "/tls/ca.pem"; }

std::string FindAuthorities(const std::vector<std::string>& flags, const Environment& environment) {
  if (!flags.empty() || environment("PHASOR_ADDRESS")) return "";
  const std::vector<std::string> addresses = FindAddresses({}, environment);
  const std::string file = AuthorityFile(DefaultFleetDirectory(environment));
  const bool asked = std::any_of(addresses.begin(), addresses.end(), [](const std::string& each) {
    return each.starts_with("grpcs://");
  });
  return asked && access(file.c_str(), R_OK) == 0 ? file : "";
}

std::string OwnerKeyFile(const std::string& directory) { return directory + "/key"; }

std::string FindCredential(const std::string& given, const std::vector<std::string>& flags,
                           const Environment& environment) {
  if (!given.empty()) return given;
  if (!flags.empty() || environment("PHASOR_ADDRESS")) return "";
  const std::string directory = DefaultFleetDirectory(environment);
  const std::string file = OwnerKeyFile(directory);
  const bool there =
      access(AddressFile(directory).c_str(), R_OK) == 0 && access(file.c_str(), R_OK) == 0;
  return there ? file : "";
}

std::string AddressText(const std::vector<std::string>& addresses) {
  std::string text;
  for (const std::string& address : addresses) text += (text.empty() ? "" : " and ") + address;
  return text;
}

}  // namespace phasor::cli
