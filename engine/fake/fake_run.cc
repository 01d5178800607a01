#include "engine/fake/fake_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/picture/json.h"
#include "engine/api/schedulers.h"
#include "engine/checkpoint/checkpoint.h"

namespace phasor::engine {
namespace {

constexpr int kPreviewScale = 8;
constexpr uint64_t kMaxBytesPerImage = 512;
constexpr uint64_t kMaxBytesOfRun = 1024;

// What decides the pixels of each picture, its seed left out.
std::string Canonical(const PictureSpec& spec, const ModelInfo& model) {
  PictureSpec alone = spec;
  alone.seed = 0;
  alone.images = 1;
  return model.digest + picture::FingerprintJson(alone).dump();
}

std::string FingerprintOf(const PictureSpec& spec, const ModelInfo& model) {
  return Sha256Hex("fake engine 2," + model.digest + picture::FingerprintJson(spec).dump());
}

Digest NextState(const Digest& state, int step) {
  Sha256 hash;
  hash.Update(state.data(), state.size());
  hash.Update(&step, sizeof(step));
  return hash.Finish();
}

// A disc on a plain background: colours, place and size come out of the state.
Image Draw(const Digest& state, int width, int height) {
  const int smaller = std::min(width, height);
  const int x = width / 4 + state[6] * width / 512;
  const int y = height / 4 + state[7] * height / 512;
  const int radius = smaller / 8 + state[8] * smaller / 1024;
  Image image{width, height, {}};
  image.rgb.reserve(static_cast<size_t>(width) * height * 3);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      const int dx = column - x, dy = row - y;
      const uint8_t* colour = state.data() + (dx * dx + dy * dy <= radius * radius ? 3 : 0);
      image.rgb.insert(image.rgb.end(), colour, colour + 3);
    }
  }
  return image;
}

}  // namespace

FakeRun::FakeRun(PictureSpec spec, ModelInfo model, std::shared_ptr<const FakeOptions> options,
                 Memory memory)
    : spec_(std::move(spec)),
      model_(std::move(model)),
      options_(std::move(options)),
      fingerprint_(FingerprintOf(spec_, model_)),
      memory_(std::move(memory)) {
  for (int i = 0; i < spec_.images; ++i) {
    PictureSpec alone = spec_;
    alone.images = 1;
    alone.seed += i;
    states_.push_back(Sha256Of(Canonical(alone, model_) + std::to_string(alone.seed)));
    report_.picture_fingerprints.push_back(FingerprintOf(alone, model_));
  }
  report_.fingerprint = fingerprint_;
  if (PlaysMemory()) {
    report_.device = "fake";
    report_.device_bytes = memory_.residence->memory().capacity;
    report_.strategy = ToString(memory_.strategy);
  }
  const auto scheduler = FindScheduler(spec_.scheduler);
  report_.karras_sigmas = scheduler && scheduler->karras;
  report_.eta = spec_.eta;
  report_.scheduler = scheduler ? std::string(scheduler->class_name) : model_.schedulers.front();
}

Unit FakeRun::Next() const {
  const auto seconds = [](Millis time) { return std::chrono::duration<double>(time).count(); };
  if (!encoded_ && step_ < spec_.steps) {
    return {UnitKind::kEncode, 0, 1, 0, seconds(options_->encode_time)};
  }
  if (step_ < spec_.steps) {
    return {UnitKind::kStep, step_, spec_.steps, 0, seconds(options_->step_time)};
  }
  const int decoded = static_cast<int>(images_.size());
  if (decoded < spec_.images) {
    return {UnitKind::kDecode, decoded, spec_.images, 0, seconds(options_->decode_time)};
  }
  return {};
}

Status FakeRun::Advance() {
  const Unit unit = Next();
  if (unit.kind == UnitKind::kDone) return FailedPrecondition("the run is done");
  if (options_->before_unit) RETURN_IF_ERROR(options_->before_unit(spec_, unit));
  RETURN_IF_ERROR(Fit(unit));
  const double moved_seconds = Swap(unit);
  Millis time = options_->encode_time;
  switch (unit.kind) {
    case UnitKind::kEncode:
      encoded_ = true;
      break;
    case UnitKind::kStep:
      for (Digest& state : states_) state = NextState(state, step_);
      ++step_;
      time = options_->step_time;
      break;
    default:
      images_.push_back(Draw(states_[unit.index], spec_.width, spec_.height));
      time = options_->decode_time;
  }
  if (time > Millis(0)) options_->sleep(time);
  UnitRecord record{unit.kind, unit.index, unit.predicted_seconds, {}, 0};
  if (PlaysMemory()) {
    record.peak.of(MemoryKind::kWeights) = memory_.residence->held();
    record.peak.of(MemoryKind::kActivations) = memory_.residence->ActivationsOf(spec_);
    record.predicted_peak_bytes = record.peak.total();
  }
  record.moved_seconds = moved_seconds;
  report_.units.push_back(record);
  return OkStatus();
}

double FakeRun::Swap(const Unit& unit) {
  if (!memory_.residence->Enters(unit.kind) || !SwapsBetweenPhases()) return 0;
  options_->sleep(options_->swap_time);
  return std::chrono::duration<double>(options_->swap_time).count();
}

// The ladder, as the real engine has it.
Status FakeRun::Fit(const Unit& unit) {
  for (;;) {
    const Status fits =
        memory_.residence->Fit(memory_.strategy, memory_.residence->ActivationsOf(spec_));
    if (fits.ok() || fits.code() != StatusCode::kResourceExhausted) return fits;
    const std::string room = memory_.make_room ? memory_.make_room() : "";
    if (!room.empty()) {
      report_.degradations.push_back({unit.kind, unit.index, room, Message(fits)});
    } else if (!GoLeaner(Message(fits))) {
      return fits;
    }
  }
}

bool FakeRun::GoLeaner(const std::string& reason) {
  if (!PlaysMemory() || memory_.strategy == Strategy::kSequentialOffload) return false;
  memory_.strategy = Strategy::kSequentialOffload;
  const Unit unit = Next();
  report_.degradations.push_back(
      {unit.kind, unit.index, std::string(ToString(memory_.strategy)), reason});
  report_.strategy = ToString(memory_.strategy);
  return true;
}

StatusOr<std::string> FakeRun::Snapshot() const {
  if (step_ == 0) return FailedPrecondition("no snapshot before the first step");
  if (!images_.empty()) return FailedPrecondition("no snapshot once decoding has begun");
  Checkpoint checkpoint{fingerprint_, static_cast<uint32_t>(step_), {}, {}};
  for (size_t i = 0; i < states_.size(); ++i) {
    checkpoint.tensors["state." + std::to_string(i)] = {
        CheckpointDtype::kU8,
        {static_cast<int64_t>(states_[i].size())},
        std::string(reinterpret_cast<const char*>(states_[i].data()), states_[i].size())};
  }
  return WriteCheckpoint(checkpoint);
}

Status FakeRun::Restore(std::string_view snapshot) {
  if (encoded_ || step_ > 0) return FailedPrecondition("the run has begun");
  ASSIGN_OR_RETURN(
      const Checkpoint checkpoint,
      ReadCheckpoint(snapshot, {fingerprint_, kMaxBytesOfRun + spec_.images * kMaxBytesPerImage,
                                static_cast<uint32_t>(spec_.steps)}));
  std::vector<Digest> states(states_.size());
  for (size_t i = 0; i < states.size(); ++i) {
    const auto found = checkpoint.tensors.find("state." + std::to_string(i));
    if (found == checkpoint.tensors.end() || found->second.bytes.size() != sizeof(Digest)) {
      return DataLoss("checkpoint: no state for image " + std::to_string(i));
    }
    std::memcpy(states[i].data(), found->second.bytes.data(), sizeof(Digest));
  }
  states_ = std::move(states);
  step_ = static_cast<int>(checkpoint.step);
  report_.resumed = true;
  report_.resumed_from_step = step_;
  return OkStatus();
}

StatusOr<Image> FakeRun::Preview(int index) const {
  if (index < 0 || index >= spec_.images) return InvalidArgument("no image of this index");
  return Draw(states_[index], spec_.width / kPreviewScale, spec_.height / kPreviewScale);
}

RunReport FakeRun::Report() const { return report_; }

}  // namespace phasor::engine
