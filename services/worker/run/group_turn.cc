#include "services/worker/run/group_turn.h"

#include <algorithm>
#include <tuple>

#include "common/queue/order.h"

namespace phasor::worker {
namespace {

constexpr int64_t kShareOfClass = 4;

}  // namespace

Millis LongestWait(const GroupConfig& config, job::Priority priority) {
  const int64_t of_class = queue::kMaxWaitMs[static_cast<size_t>(priority)] / kShareOfClass;
  return std::min(config.wait, Millis(of_class));
}

Turn NextTurn(const GroupFacts& facts) {
  using engine::UnitKind;
  const std::vector<HeldView>& members = facts.members;
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].over) return {Turn::Kind::kEnd, i};
  }
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].next == UnitKind::kDone) return {Turn::Kind::kAdvance, i};
  }
  if (members.empty()) return {};
  if (facts.late) return {Turn::Kind::kAdvance, 0};
  const auto rank = [&](size_t i) {
    return std::tuple(members[i].next, members[i].priority, i != facts.current, i);
  };
  size_t first = 0;
  for (size_t i = 1; i < members.size(); ++i) {
    if (rank(i) < rank(first)) first = i;
  }
  if (facts.may_grow && members[first].next != UnitKind::kEncode) return {Turn::Kind::kTake, 0};
  return {Turn::Kind::kAdvance, first};
}

bool Grows(const GroupConfig& config, const GrowthFacts& facts) {
  if (facts.taken >= config.jobs || facts.members.empty()) return false;
  double seconds = std::chrono::duration<double>(facts.spent).count();
  double longest = 0;
  Millis wait = config.wait;
  for (const HeldView& member : facts.members) {
    const bool idle = !member.over && member.stop == StopReason::kNone;
    if (!idle || !member.swaps || member.seconds_left <= 0) return false;
    if (member.next == engine::UnitKind::kEncode) return false;
    seconds += member.seconds_left;
    longest = std::max(longest, member.seconds_left);
    wait = std::min(wait, LongestWait(config, member.priority));
  }
  return seconds + longest <= std::chrono::duration<double>(wait).count();
}

std::vector<size_t> MakingRoom(const std::vector<HeldView>& members) {
  const auto asked = [](const HeldView& member) { return member.stop == StopReason::kPreempted; };
  const auto first = std::find_if(members.begin(), members.end(), asked);
  if (first == members.end()) return {};
  job::Priority most_urgent = first->priority;
  for (const HeldView& member : members) {
    if (asked(member)) most_urgent = std::min(most_urgent, member.priority);
  }
  std::vector<size_t> making;
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i].priority >= most_urgent) making.push_back(i);
  }
  return making;
}

}  // namespace phasor::worker
