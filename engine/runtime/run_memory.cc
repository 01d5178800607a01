#include "engine/runtime/run_memory.h"

#include <algorithm>
#include <utility>

#include "engine/runtime/degradation_text.h"

namespace phasor::engine {
namespace {

constexpr char kSplitFrom[] = "split_guidance_from";
constexpr char kDegradations[] = "degradations";  // a tensor of bytes

}  // namespace

RunMemory::RunMemory(Parts parts, const PictureSpec& spec, const StrategyChoice& choice,
                     const Cuts& cuts)
    : parts_(std::move(parts)),
      spec_(spec),
      form_(choice.form),
      plan_(choice.strategy ? PlanWith(Input(), *choice.strategy, cuts)
                            : ChoosePlan(Input(), cuts)) {
  const auto tell = [&](UnitKind phase) {
    Tell({phase, 0, 0, plan_.residency.peak_bytes(phase), 0}, NameOfLast(plan_.cuts, phase),
         "planned: the whole is not expected to fit the device's memory");
  };
  if (plan_.cuts.split_guidance && !cuts.split_guidance) tell(UnitKind::kStep);
  if (plan_.cuts.vae_tile != cuts.vae_tile || plan_.cuts.decode_on_host != cuts.decode_on_host) {
    tell(UnitKind::kDecode);
  }
}

Status RunMemory::Do(const Unit& unit, const std::function<Status()>& work) {
  const Rung first = {plan().strategy, cuts(), 0};
  const size_t told = degradations_.size();
  for (Rung rung = first;;) {
    parts_.device.ResetPeak();
    const Status done = work();
    if (done.ok()) Note(unit);
    if (done.code() != StatusCode::kResourceExhausted) return done;
    if (std::string room = parts_.make_room ? parts_.make_room() : ""; !room.empty()) {
      Tell(unit, std::move(room), Message(done));
      continue;
    }
    const bool fits = plan().FitsIn(parts_.residency.Budget(), unit.kind);
    const std::optional<Rung> next = NextRung(rung, unit.kind, CuttableIn(Input()), fits);
    if (!next) {
      Take(first);
      degradations_.resize(told);
      return done;
    }
    Tell(unit, ActionOf(rung, *next, unit.kind), Message(done));
    Take(*next);
    rung = *next;
  }
}

bool RunMemory::GoLeaner(const Unit& unit, const std::string& reason) {
  const std::optional<Strategy> leaner = LeanerThan(plan().strategy);
  if (!leaner) return false;
  Tell(unit, std::string(ToString(*leaner)), reason);
  Take({*leaner, cuts(), 0});
  return true;
}

void RunMemory::Write(Checkpoint* checkpoint) const {
  std::vector<Degradation> all = degradations_before_;
  all.insert(all.end(), degradations_.begin(), degradations_.end());
  if (std::string text = DegradationText(all); !text.empty()) {
    CheckpointTensor& tensor = checkpoint->tensors[kDegradations];
    tensor.shape = {static_cast<int64_t>(text.size())};
    tensor.bytes = std::move(text);
  }
  if (taken_.split_guidance_from < 0) return;
  checkpoint->counters[kSplitFrom] = taken_.split_guidance_from;
}

Status RunMemory::Read(const Checkpoint& checkpoint) {
  std::vector<Degradation> before;
  if (const auto told = checkpoint.tensors.find(kDegradations); told != checkpoint.tensors.end()) {
    ASSIGN_OR_RETURN(before, ParseDegradations(told->second.bytes));
  }
  RETURN_IF_ERROR(ReadCuts(checkpoint));
  degradations_before_ = std::move(before);
  return OkStatus();
}

Status RunMemory::ReadCuts(const Checkpoint& checkpoint) {
  const auto found = checkpoint.counters.find(kSplitFrom);
  if (found == checkpoint.counters.end()) return OkStatus();
  if (found->second < 0 || found->second >= checkpoint.step) {
    return DataLoss("checkpoint: " + std::string(kSplitFrom) + " is " +
                    std::to_string(found->second) + ", of step " + std::to_string(checkpoint.step));
  }
  taken_.split_guidance_from = static_cast<int>(found->second);
  Cuts split = cuts();
  split.split_guidance = true;
  plan_ = PlanWith(Input(), plan().strategy, split);
  return OkStatus();
}

void RunMemory::Take(const Rung& rung) {
  parts_.device.EmptyCaches();
  plan_ = PlanWith(Input(), rung.strategy, rung.cuts);
}

void RunMemory::Tell(const Unit& unit, std::string action, const std::string& reason) {
  const MemoryUse use = parts_.device.Memory();
  const uint64_t free = use.capacity - std::min(use.capacity, use.taken());
  degradations_.push_back(
      {unit.kind, unit.index, std::move(action), reason, unit.predicted_peak_bytes, free});
}

// What the unit was computed with.
void RunMemory::Note(const Unit& unit) {
  if (unit.kind == UnitKind::kDecode) {
    // A device that computes with the CPU's kernels gives the host's bits.
    const bool elsewhere = cuts().decode_on_host && parts_.device.kernels() != "cpu";
    taken_.vae_tiles.push_back(elsewhere ? kHostDecoded : cuts().vae_tile);
  }
  if (unit.kind != UnitKind::kStep || !cuts().split_guidance) return;
  if (taken_.split_guidance_from < 0) taken_.split_guidance_from = unit.index;
}

}  // namespace phasor::engine
