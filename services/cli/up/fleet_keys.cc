#include "services/cli/up/fleet_keys.h"

#include <unistd.h>

#include "common/access/stores/file_key_store.h"
#include "common/base/clock.h"
#include "services/cli/link/address.h"
#include "services/cli/text/secret_file.h"

namespace phasor::cli {
namespace {

Status MakeKey(access::KeyStore& keys, const access::KeyGrant& grant, const std::string& file) {
  if (::access(file.c_str(), F_OK) == 0) return OkStatus();
  ASSIGN_OR_RETURN(const access::MadeKey made, access::MakeKey(grant, SystemClock().WallMillis()));
  RETURN_IF_ERROR(keys.Add(made.record));
  return WriteSecretFile(file, made.key + "\n");
}

}  // namespace

std::string KeysFile(const std::string& directory) { return directory + "/keys.jsonl"; }
std::string WorkerKeyFile(const std::string& directory) { return directory + "/worker.key"; }

Status MakeFleetKeys(const std::string& directory) {
  using access::Role;
  access::FileKeyStore keys(KeysFile(directory));
  RETURN_IF_ERROR(MakeKey(keys,
                          {.name = "of whoever runs 'phasor up'",
                           .tenant = "local",
                           .roles = {Role::kDraw, Role::kRead, Role::kOperate},
                           .expires_ms = 0},
                          OwnerKeyFile(directory)));
  return MakeKey(keys,
                 {.name = "of the workers", .tenant = "", .roles = {Role::kWork}, .expires_ms = 0},
                 WorkerKeyFile(directory));
}

}  // namespace phasor::cli
