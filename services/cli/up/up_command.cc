#include "services/cli/up/up_command.h"

#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <sstream>

#include "common/config/model_folder.h"
#include "common/rpc/address.h"
#include "services/cli/up/fleet.h"
#include "services/cli/up/fleet_certificates.h"
#include "services/cli/up/fleet_keys.h"
#include "services/cli/up/probe.h"

namespace phasor::cli {
namespace {

namespace fs = std::filesystem;

int Cores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

// The first executable of that name in PATH; empty: none.
std::string FindInPath(const std::string& name, const Environment& environment) {
  std::istringstream folders(environment("PATH").value_or("/usr/bin:/bin"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string path = fs::path(folder.empty() ? "." : folder) / name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

StatusOr<Programs> FindPrograms(const Environment& environment) {
  Programs programs;
  programs.redis_server = FindInPath("redis-server", environment);
  if (programs.redis_server.empty()) {
    return FailedPrecondition(
        "redis-server is not installed, or not in PATH; on Debian and Ubuntu: "
        "apt-get install redis-server");
  }
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& [name, path] : {std::pair{"phasor-gateway", &programs.gateway},
                                   std::pair{"phasor-worker", &programs.worker}}) {
    *path = here / name;
    if (access(path->c_str(), X_OK) != 0) {
      return FailedPrecondition(std::string(name) + " is not beside phasor in " + here.string());
    }
  }
  return programs;
}

// A redis-server of a fleet whose `phasor up` was killed ends by itself; a moment is enough.
Status WaitForOldRedis(const UpOptions& options, const Interrupt& interrupt) {
  for (int looks = 0; looks < 100; ++looks) {
    if (!RedisAnswers(RedisSocket(options))) return OkStatus();
    if (interrupt.raised()) return Cancelled("interrupted");
    usleep(50'000);
  }
  return FailedPrecondition("a redis-server that this fleet did not start answers on " +
                            RedisSocket(options) + "; stop it, or give another --dir");
}

Status Up(Session& session, UpOptions options) {
  options.keys = options.keys || options.secure;
  options.tls = options.tls || options.secure;
  RETURN_IF_ERROR(CheckDevice(options));
  session.interrupt.ExpectMany();
  std::error_code error;
  options.directory = fs::absolute(options.directory, error).lexically_normal();
  options.models = config::AbsoluteModels(options.models);
  ASSIGN_OR_RETURN(const Programs programs, FindPrograms(session.environment));
  ASSIGN_OR_RETURN(options.listen, WithFreePort(options.listen));
  RETURN_IF_ERROR(rpc::CheckAddress(options.listen));
  ASSIGN_OR_RETURN(const auto gateways, ConsecutiveAddresses(options.listen, options.gateways));
  ASSIGN_OR_RETURN(const auto plans, PlanFleet(options, programs, Cores()));
  ASSIGN_OR_RETURN(const FleetDirectory directory, FleetDirectory::Claim(options.directory));
  if (options.keys) RETURN_IF_ERROR(MakeFleetKeys(options.directory));
  if (options.tls) RETURN_IF_ERROR(MakeFleetCertificates(options.directory, options.listen));
  RETURN_IF_ERROR(WaitForOldRedis(options, session.interrupt));
  for (const std::string& address : gateways) RETURN_IF_ERROR(rpc::CheckBindable(address));
  return Fleet(session, options, gateways, plans, directory).Run();
}

}  // namespace

void AddUp(flags::Command& line, Session& session, int* exit_code) {
  auto options = std::make_shared<UpOptions>();
  options->directory = DefaultFleetDirectory(session.environment);
  flags::Command& up = line.AddCommand(
      "up", "run a fleet on this machine: redis-server, gateways, workers; until Ctrl-C");
  up.Text("--dir", &options->directory, "where queue, results, logs and sockets lie");
  up.Whole("--workers", &options->workers, "they share the cores", 1, 256);
  up.Whole("--gateways", &options->gateways,
           "each listens one port further, or on a socket with -2, -3 ... in its name", 1, 64);
  up.Text("--models", &options->models, "a model's directory, or a folder of them")
      .FromVariable("PHASOR_MODELS");
  up.Text("--listen", &options->listen, "host:port or unix:/path; port 0: a free one");
  up.Text("--metrics", &options->metrics, "host:port of the first gateway's /metrics, or off");
  up.Flag("--keys", &options->keys,
          "let only those call who have a key, and make one for you and one for the workers");
  up.Flag("--secure", &options->secure, "both --keys and --tls");
  up.Flag("--tls", &options->tls, "speak TLS, with an authority and a certificate made for it");
  up.Flag("--insecure", &options->insecure,
          "listen on other interfaces than loopback although nothing proves who calls");
  up.OneOf("--engine", {"real", "fake"}, &options->engine,
           "real, or fake (no pictures of any worth)");
  up.Text("--preset", &options->preset,
          "of the workers: 4gb, 8gb, 24gb: device and memory for a card of that size, or the CPU "
          "where there is none; cpu");
  up.Text("--device", &options->device,
          "of the workers: cpu; sim: the CPU with a card's memory, simulated; cuda:N; auto");
  up.Text("--vram", &options->vram,
          "memory of each simulated device, or what each takes of a card's, e.g. 4GiB");
  up.Text("--dtype", &options->dtype, "what networks compute in: auto, fp32, bf16 or fp16");
  for (const engine::ComputeSwitch& one : engine::ComputeSwitches()) {
    up.Text(one.flag(), &(options->compute.*one.word), one.hint());
  }
  up.Text("--strategy", &options->strategy,
          "how weights share a device's memory; AUTO: the cheapest that fits");
  up.Whole("--fake-step-ms", &options->fake_step_ms, "what a step of the fake engine takes");
  up.Number("--lease", &options->lease, "seconds until a lost worker's job goes on elsewhere", 1,
            3600);
  up.Number("--grace", &options->grace, "seconds for jobs in hand when the fleet stops", 0, 86400);
  up.Runs([&session, options, exit_code] {
    const Status ended = Up(session, *options);
    if (ended.ok()) return;
    session.err << "phasor: " << ended.message() << std::endl;
    *exit_code = ended.code() == StatusCode::kInvalidArgument ? kUsage : kFailed;
  });
}

}  // namespace phasor::cli
