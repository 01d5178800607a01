#include "common/access/methods.h"

#include <unordered_map>

namespace phasor::access {
namespace {

// Operators look after every tenant's jobs but draw none of their own.
constexpr RoleSet kDraws = {Role::kDraw};
constexpr RoleSet kChanges = {Role::kDraw, Role::kOperate};
constexpr RoleSet kReads = {Role::kRead, Role::kOperate};
constexpr RoleSet kKnows = {Role::kDraw, Role::kRead, Role::kOperate};
constexpr RoleSet kOperates = {Role::kOperate};
constexpr RoleSet kWorks = {Role::kWork};
constexpr RoleSet kAnybody = {};

}  // namespace

const std::vector<MethodRule>& MethodRules() {
  static const std::vector<MethodRule> rules = {
      {"/phasor.v1.Images/Generate", kDraws},
      {"/phasor.v1.Images/Submit", kDraws},
      {"/phasor.v1.Images/BatchSubmit", kDraws},
      {"/phasor.v1.Images/Get", kReads},
      {"/phasor.v1.Images/Watch", kReads},
      {"/phasor.v1.Images/Cancel", kChanges},
      {"/phasor.v1.Images/List", kReads},
      {"/phasor.v1.Images/GetResult", kReads},
      {"/phasor.v1.Images/Redrive", kChanges},
      {"/phasor.v1.Models/List", kKnows},
      {"/phasor.v1.Models/Get", kKnows},
      {"/phasor.v1.Models/Load", kOperates},
      {"/phasor.v1.Models/Unload", kOperates},
      {"/phasor.v1.Models/Preload", kOperates},
      {"/phasor.v1.Admin/Stats", kOperates, Door::kOperators},
      {"/phasor.v1.Admin/Cleanup", kOperates, Door::kOperators},
      {"/phasor.v1.Admin/Pause", kOperates, Door::kOperators},
      {"/phasor.v1.Admin/Resume", kOperates, Door::kOperators},
      {"/phasor.v1.Admin/Drain", kOperates, Door::kOperators},
      {"/phasor.v1.Admin/Migrate", kOperates, Door::kOperators},
      {"/phasor.v1.Admin/DeadLetters", kReads, Door::kOperators},
      {"/phasor.v1.Admin/SetLimits", kOperates, Door::kOperators},
      {"/phasor.v1.WorkerReport/Report", kWorks, Door::kWorkers},
      // Probes of a cluster carry no credential; it says nothing but whether the gateway serves.
      {"/grpc.health.v1.Health/Check", kAnybody},
      {"/grpc.health.v1.Health/Watch", kAnybody},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", kOperates,
       Door::kOperators},
      // Not served yet: tools ask for it first, and go on with the one above once they hear so.
      {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", kOperates, Door::kOperators},
      {"/grpc.channelz.v1.Channelz/GetTopChannels", kOperates, Door::kOperators},
      {"/grpc.channelz.v1.Channelz/GetServers", kOperates, Door::kOperators},
      {"/grpc.channelz.v1.Channelz/GetServer", kOperates, Door::kOperators},
      {"/grpc.channelz.v1.Channelz/GetServerSockets", kOperates, Door::kOperators},
      {"/grpc.channelz.v1.Channelz/GetChannel", kOperates, Door::kOperators},
      {"/grpc.channelz.v1.Channelz/GetSubchannel", kOperates, Door::kOperators},
      {"/grpc.channelz.v1.Channelz/GetSocket", kOperates, Door::kOperators},
  };
  return rules;
}

const MethodRule* RuleOf(std::string_view method) {
  static const auto* const by_name = [] {
    auto* map = new std::unordered_map<std::string_view, const MethodRule*>();
    for (const MethodRule& rule : MethodRules()) map->emplace(rule.method, &rule);
    return map;
  }();
  const auto found = by_name->find(method);
  return found == by_name->end() ? nullptr : found->second;
}

}  // namespace phasor::access
