#include "services/cli/commands/key_commands.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/access/api_key.h"
#include "common/access/stores/file_key_store.h"
#include "common/access/stores/redis_key_store.h"
#include "common/base/clock.h"
#include "common/base/process.h"
#include "common/base/utc_text.h"
#include "common/redis/open_redis.h"
#include "services/cli/text/secret_file.h"

namespace phasor::cli {
namespace {

constexpr int64_t kDay = 24 * 3600 * int64_t{1000};
constexpr int kMaxDays = 36'500;

struct KeyFlags {
  std::string file;
  std::string redis;
  tls::PeerFiles redis_files;
  std::string name;
  std::string tenant;
  std::vector<std::string> roles;
  int days = 365;
  std::string output;
  std::vector<std::string> ids;
};

// For the audit log: "alice@desk", or "alice as root@desk" where sudo says so.
std::string WhoRuns() {
  const passwd* const known = getpwuid(getuid());
  std::string user = known != nullptr ? known->pw_name : std::to_string(getuid());
  if (const char* before = std::getenv("SUDO_USER"); before != nullptr && *before != '\0') {
    user.insert(0, " as ").insert(0, before);
  }
  return user + "@" + HostName();
}

StatusOr<std::unique_ptr<access::KeyStore>> OpenKeys(const KeyFlags& flags) {
  if (!flags.file.empty()) return std::make_unique<access::FileKeyStore>(flags.file);
  if (flags.redis.empty()) {
    return InvalidArgument("where are the keys? Give --keys-file, or --redis (PHASOR_REDIS)");
  }
  static const SystemClock clock;
  ASSIGN_OR_RETURN(const auto options, redis::OpenRedis(flags.redis, flags.redis_files, &clock));
  return std::make_unique<access::RedisKeyStore>(options, WhoRuns());
}

std::string DateText(int64_t millis) {
  if (millis == 0) return "never";
  return UtcText(millis, "%Y-%m-%d");
}

nlohmann::json ToJson(const access::KeyRecord& record) {
  return {{"id", record.id},
          {"name", record.name},
          {"tenant", record.tenant},
          {"roles", access::Words(record.roles)},
          {"created_ms", record.created_ms},
          {"expires_ms", record.expires_ms}};
}

std::string Line(const access::KeyRecord& record, int64_t now_ms) {
  char text[256];
  std::snprintf(text, sizeof(text), "%-18s %-24.24s %-18.18s %-22s %-10s %s\n", record.id.c_str(),
                record.name.c_str(), record.tenant.empty() ? "-" : record.tenant.c_str(),
                access::ToString(record.roles).c_str(), DateText(record.expires_ms).c_str(),
                access::IsOver(record.expires_ms, now_ms) ? "over" : "");
  return text;
}

Status Create(Session& session, const KeyFlags& flags) {
  ASSIGN_OR_RETURN(const auto keys, OpenKeys(flags));
  ASSIGN_OR_RETURN(const access::RoleSet roles, access::ParseRoles(flags.roles));
  const int64_t now = SystemClock().WallMillis();
  ASSIGN_OR_RETURN(const access::MadeKey made,
                   access::MakeKey({.name = flags.name,
                                    .tenant = flags.tenant,
                                    .roles = roles,
                                    .expires_ms = flags.days == 0 ? 0 : now + flags.days * kDay},
                                   now));
  // First where it is safe, then where it counts: a key that nobody has is no harm.
  if (!flags.output.empty()) RETURN_IF_ERROR(WriteSecretFile(flags.output, made.key + "\n"));
  RETURN_IF_ERROR(keys->Add(made.record));
  if (session.json) {
    nlohmann::json json = ToJson(made.record);
    if (flags.output.empty()) json["key"] = made.key;
    session.out << json.dump() << std::endl;
    return OkStatus();
  }
  session.out << (flags.output.empty() ? made.key : made.record.id) << std::endl;
  if (!session.quiet) {
    session.err << "phasor: key " << made.record.id << " for "
                << (flags.tenant.empty() ? "no tenant" : "tenant " + flags.tenant) << ", roles "
                << access::ToString(roles) << ", until " << DateText(made.record.expires_ms)
                << (flags.output.empty() ? ". It is not shown again" : ". It is in " + flags.output)
                << std::endl;
  }
  return OkStatus();
}

Status List(Session& session, const KeyFlags& flags) {
  ASSIGN_OR_RETURN(const auto keys, OpenKeys(flags));
  ASSIGN_OR_RETURN(const access::KeyList list, keys->Read());
  const int64_t now = SystemClock().WallMillis();
  if (!session.json) {
    session.out << "ID                 NAME                     TENANT             ROLES"
                   "                  UNTIL\n";
  }
  for (const access::KeyRecord& record : list.keys) {
    session.out << (session.json ? ToJson(record).dump() + "\n" : Line(record, now));
  }
  session.out << std::flush;
  if (list.damaged == 0) return OkStatus();
  return DataLoss(std::to_string(list.damaged) + " records of keys are damaged; those are void");
}

Status Revoke(Session& session, const KeyFlags& flags) {
  ASSIGN_OR_RETURN(const auto keys, OpenKeys(flags));
  Status worst;
  for (const std::string& given : flags.ids) {
    // A whole key serves as well as its id.
    const auto parts = access::SplitKey(given);
    const std::string id = parts ? std::string(parts->id) : given;
    const Status removed = keys->Remove(id);
    if (removed.ok()) {
      session.out << (session.json ? nlohmann::json{{"id", id}, {"revoked", true}}.dump()
                                   : id + " revoked")
                  << std::endl;
    } else if (worst.ok()) {
      worst = Annotate(removed, id);
    }
  }
  return worst;
}

using Deed = Status (*)(Session& session, const KeyFlags& flags);

void AddDeed(flags::Command& command, Session& session, int* exit_code,
             const std::shared_ptr<KeyFlags>& flags, Deed deed) {
  command.Text("--keys-file", &flags->file, "the file that gateways were given as --keys");
  command.Text("--redis", &flags->redis, "of the fleet, where gateways have --keys redis")
      .FromVariable("PHASOR_REDIS");
  tls::PeerFiles& files = flags->redis_files;
  const struct {
    const char* name;
    const char* variable;
    std::string* field;
    const char* what;
  } words[] = {
      {"--redis-user-file", "PHASOR_REDIS_USER_FILE", &files.login.user, "file with its user"},
      {"--redis-password-file", "PHASOR_REDIS_PASSWORD_FILE", &files.login.password,
       "file with its password"},
      {"--redis-ca", "PHASOR_REDIS_CA", &files.tls.authorities,
       "file with the authorities that vouch for it (rediss://)"},
      {"--redis-cert", "PHASOR_REDIS_CERT", &files.tls.certificate,
       "file with the certificate to show to it"},
      {"--redis-key", "PHASOR_REDIS_KEY", &files.tls.key, "file with that certificate's key"}};
  for (const auto& word : words) {
    command.Text(word.name, word.field, word.what).FromVariable(word.variable);
  }
  command.Runs([&session, exit_code, flags, deed] {
    const Status done = deed(session, *flags);
    if (!done.ok()) *exit_code = session.Report(done);
  });
}

}  // namespace

void AddKeyCommands(flags::Command& line, Session& session, int* exit_code) {
  flags::Command& keys = line.AddCommand("keys", "who may call: API keys (docs/security.md)");
  keys.RequiresCommand();
  keys.TakesFlagsOfOthers();
  auto flags = std::make_shared<KeyFlags>();

  flags::Command& create = keys.AddCommand("create", "make a key and show it, once");
  create.Text("--name", &flags->name, "what it is for");
  create.Text("--tenant", &flags->tenant, "whose jobs it submits and sees");
  create
      .List("--roles", &flags->roles,
            "of draw (submit, cancel), read (jobs, pictures), operate (the fleet), work (be a "
            "worker)")
      .Required();
  create.Whole("--days", &flags->days, "until it is over; 0: never", 0, kMaxDays);
  create.Text("-o,--output", &flags->output,
              "write it to this file, for you alone, instead of showing it");
  AddDeed(create, session, exit_code, flags, &Create);

  AddDeed(keys.AddCommand("list", "all keys, without their secrets"), session, exit_code, flags,
          &List);

  flags::Command& revoke = keys.AddCommand(
      "revoke", "end keys: within seconds they open nothing, and what runs with them ends");
  revoke.Texts("id", &flags->ids, "of keys").Required();
  AddDeed(revoke, session, exit_code, flags, &Revoke);
}

}  // namespace phasor::cli
