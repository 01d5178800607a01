#include "services/worker/take/job_group.h"

#include <utility>

#include "common/log/log.h"
#include "engine/api/device_lost.h"

namespace phasor::worker {

Status JobGroup::Run(const Taker::Taken& first) {
  began_ = parts_.clock.Steady();
  closed_ = first.grant.solo;
  Add(first);
  for (;;) {
    MakeRoom();
    for (const Member& member : members_) parts_.runner.StopIfAsked(*member.job);
    const GroupFacts facts = Look();
    const Turn turn = NextTurn(facts);
    switch (turn.kind) {
      case Turn::Kind::kNone:
        parts_.metrics.GroupEnded(taken_);
        return OkStatus();
      case Turn::Kind::kTake:
        TakeAnother();
        break;
      case Turn::Kind::kAdvance:
        closed_ = closed_ || facts.members[turn.member].next != engine::UnitKind::kEncode;
        Advance(turn.member);
        break;
      case Turn::Kind::kEnd:
        if (End(turn.member)) break;
        Abandon();
        return engine::DeviceLost("the device is lost");
    }
  }
}

void JobGroup::Add(const Taker::Taken& taken) {
  const uint64_t left = parts_.models.swaps();
  const queue::Grant& grant = taken.grant;
  ++taken_;
  parts_.status.Busy(grant.fence.id);
  members_.push_back({grant, parts_.runner.Begin(grant, taken.sent)});
  parts_.stretch.Took(grant.model, grant.priority, parts_.models.swaps() > left,
                      parts_.clock.Steady());
}

void JobGroup::Advance(size_t member) {
  JobRunner::Ongoing& job = *members_[member].job;
  const engine::UnitKind phase = parts_.runner.Look(job).next;
  parts_.status.Busy(members_[member].grant.fence.id);
  parts_.runner.Advance(job);
  const bool goes_on = parts_.runner.Look(job).next == phase;
  current_ = goes_on ? std::optional(member) : std::nullopt;
}

void JobGroup::TakeAnother() {
  const auto taken = parts_.taker.Take({members_.front().grant.model});
  // A take without an answer is repeated when the group has ended.
  if (!taken.ok() || !taken->has_value()) {
    closed_ = true;
  } else if ((*taken)->grant.solo) {
    parts_.taker.GiveBack((*taken)->grant.fence);  // to be computed alone
    closed_ = true;
  } else {
    Add(**taken);
  }
}

void JobGroup::MakeRoom() {
  for (const size_t member : MakingRoom(Views())) {
    parts_.lease.AskToStop(StopReason::kPreempted, members_[member].grant.fence.id);
  }
}

std::vector<HeldView> JobGroup::Views() const {
  std::vector<HeldView> views;
  for (const Member& member : members_) views.push_back(parts_.runner.Look(*member.job));
  return views;
}

bool JobGroup::MayGrow(const std::vector<HeldView>& members) {
  const auto spent = std::chrono::duration_cast<Millis>(parts_.clock.Steady() - began_);
  return !closed_ && Grows(config_, {members, taken_, spent}) &&
         parts_.intake.Offers(members_.front().grant.model) && parts_.may_take();
}

GroupFacts JobGroup::Look() {
  GroupFacts facts{.members = Views(), .current = current_};
  facts.may_grow = MayGrow(facts.members);
  for (const HeldView& member : facts.members) {
    const auto spent = parts_.clock.Steady() - began_;
    facts.late = facts.late || spent > LongestWait(config_, member.priority);
  }
  return facts;
}

bool JobGroup::End(size_t member) {
  const queue::Grant grant = std::move(members_[member].grant);
  JobRunner::Held job = std::move(members_[member].job);
  members_.erase(members_.begin() + static_cast<ptrdiff_t>(member));
  current_.reset();
  const JobEnd end = parts_.runner.End(std::move(job));
  if (end.completion) parts_.taker.Owe(*end.completion);
  if (!members_.empty()) parts_.taker.Settle();  // the next take may be far
  parts_.intake.JobEnded({.job = grant.fence.id,
                          .model = grant.model,
                          .came_out = end.came_out,
                          .failed_before = grant.tries + grant.crashes > 0,
                          .failed = end.failed,
                          .retry_in = end.retry_in,
                          .others_in_hand = !members_.empty()});
  parts_.status.Idle();
  return end.failed != job::ErrorClass::kDeviceLost;
}

void JobGroup::Abandon() {
  for (Member& member : members_) parts_.runner.Abandon(*member.job);
  while (!members_.empty()) (void)End(0);
}

}  // namespace phasor::worker
