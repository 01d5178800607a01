// Where a gateway and a fleet's directory are, when nobody says so. Pure but for reading the
// environment and one small file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace phasor::cli {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> ProcessEnvironment(const std::string& name);

// PHASOR_DIR, else phasor below XDG_STATE_HOME or ~/.local/state, else ./phasor-data.
std::string DefaultFleetDirectory(const Environment& environment);

// The file in a fleet's directory that says where its gateways listen, one on a line.
std::string AddressFile(const std::string& directory);

// `flags` if not empty, else PHASOR_ADDRESS with commas between them, else the address file of the
// default directory, else 127.0.0.1:50051. Never empty.
std::vector<std::string> FindAddresses(const std::vector<std::string>& flags,
                                       const Environment& environment);

// Where gateways serve operators: `flags`, else PHASOR_ADMIN_ADDRESS; empty: where they serve all.
std::vector<std::string> FindAdminAddresses(const std::vector<std::string>& flags,
                                            const Environment& environment);

// The file in a fleet's directory with the authority that `phasor up --tls` made.
std::string AuthorityFile(const std::string& directory);

// That of the default directory, if the addresses come from there and ask for TLS; else empty.
std::string FindAuthorities(const std::vector<std::string>& flags, const Environment& environment);

// The file in a fleet's directory with the key that `phasor up --keys` made for its owner.
std::string OwnerKeyFile(const std::string& directory);

// The file with the credential for calls: `given` if not empty, else that of the default directory,
// if it is there and the addresses come from there too; else empty. A key made for a fleet on this
// machine goes to no other.
std::string FindCredential(const std::string& given, const std::vector<std::string>& flags,
                           const Environment& environment);

// For sentences: "a:1 and b:2".
std::string AddressText(const std::vector<std::string>& addresses);

}  // namespace phasor::cli
