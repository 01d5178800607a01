#include "services/cli/up/fleet.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "services/cli/up/child_process.h"
#include "services/cli/up/probe.h"

namespace phasor::cli {
namespace {

constexpr Millis kBetweenLooks{50};
constexpr size_t kMaxLog = 1 << 28;
constexpr size_t kTail = 1500;  // bytes

std::vector<Supervisor::Child> ChildrenOf(const std::vector<ProcessPlan>& plans) {
  std::vector<Supervisor::Child> children;
  for (const ProcessPlan& plan : plans) {
    children.push_back({.name = plan.name, .stage = plan.stage, .stop_grace = plan.stop_grace});
  }
  return children;
}

std::string Join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : ",") + word;
  return joined;
}

}  // namespace

Fleet::Fleet(Session& session, UpOptions options, std::vector<std::string> gateways,
             std::vector<ProcessPlan> plans, const FleetDirectory& directory)
    : session_(session),
      options_(std::move(options)),
      gateways_(std::move(gateways)),
      plans_(std::move(plans)),
      directory_(directory),
      supervisor_(ChildrenOf(plans_), {}) {}

Status Fleet::Run() {
  Status end;
  while (!supervisor_.done()) {
    Act(supervisor_.Tick(clock_.Steady()));
    ReapAll();
    ObeyInterrupts();
    if (!supervisor_.stopping()) {
      end = Probe();
      if (const auto failed = supervisor_.failed()) {
        end = FailedPrecondition("the fleet can't start: " + supervisor_.name(*failed) +
                                 " ended. Its log says:\n" + LogTail(*failed));
      }
      if (!end.ok()) supervisor_.Stop();
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return end;
}

void Fleet::ObeyInterrupts() {
  const int count = session_.interrupt.count();
  if (count == 1 && !supervisor_.stopping()) {
    session_.err << "phasor: stopping the fleet" << std::endl;
    supervisor_.Stop();
  }
  if (count > 1) supervisor_.StopNow();
}

void Fleet::Act(const std::vector<Supervisor::Action>& actions) {
  for (const Supervisor::Action& action : actions) {
    if (action.deed == Supervisor::Deed::kStart) {
      Start(action.child);
      continue;
    }
    for (const auto& [pid, child] : children_) {
      if (child != action.child) continue;
      action.deed == Supervisor::Deed::kTerminate ? Terminate(pid) : Kill(pid);
    }
  }
}

void Fleet::Start(size_t child) {
  const auto pid = Spawn(plans_[child].argv, LogFile(options_, plans_[child].name));
  if (!pid.ok()) {
    session_.err << "phasor: " << pid.status().message() << std::endl;
    supervisor_.Exited(child, clock_.Steady());
    return;
  }
  children_[*pid] = child;
  supervisor_.Started(child, clock_.Steady());
}

void Fleet::ReapAll() {
  while (const auto ended = Reap()) {
    const auto found = children_.find(ended->first);
    if (found == children_.end()) continue;
    const size_t child = found->second;
    children_.erase(found);
    if (!supervisor_.stopping()) {
      session_.err << "phasor: " << supervisor_.name(child) << " ended with " << ended->second
                   << "; its log is " << LogFile(options_, supervisor_.name(child)) << std::endl;
    }
    supervisor_.Exited(child, clock_.Steady());
  }
}

Status Fleet::Probe() {
  switch (supervisor_.starting_stage()) {
    case kRedisStage:
      if (RedisAnswers(RedisSocket(options_))) supervisor_.StageReady(kRedisStage);
      break;
    case kGatewayStage:
      if (std::all_of(gateways_.begin(), gateways_.end(), IsListening)) {
        supervisor_.StageReady(kGatewayStage);
      }
      break;
    case kWorkerStage:
      if (!WorkersReady(options_.listen, key_file(), Tls())) break;
      supervisor_.StageReady(kWorkerStage);
      RETURN_IF_ERROR(directory_.WriteAddresses(ShownAddresses()));
      session_.out << "ready: phasor generate --address " << Join(ShownAddresses())
                   << (options_.tls ? " --tls-ca " + AuthorityFile(options_.directory) : "")
                   << (options_.keys ? " --credential-file " + key_file() : "")
                   << " \"a red circle on a blue background\"" << std::endl;
      break;
    default:
      break;
  }
  return OkStatus();
}

std::vector<std::string> Fleet::ShownAddresses() const {
  std::vector<std::string> shown;
  for (const std::string& address : gateways_) {
    shown.push_back((options_.tls ? "grpcs://" : "") + address);
  }
  return shown;
}

rpc::ClientTlsWords Fleet::Tls() const {
  if (!options_.tls) return {};
  return {.files = {.authorities = AuthorityFile(options_.directory)}, .server_name = "localhost"};
}

std::string Fleet::key_file() const {
  return options_.keys ? OwnerKeyFile(options_.directory) : "";
}

std::string Fleet::LogTail(size_t child) const {
  const auto log = ReadFile(LogFile(options_, supervisor_.name(child)), kMaxLog);
  if (!log.ok()) return Message(log.status());
  if (log->size() <= kTail) return *log;
  return log->substr(log->find('\n', log->size() - kTail) + 1);
}

}  // namespace phasor::cli
