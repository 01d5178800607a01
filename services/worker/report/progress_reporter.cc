#include "services/worker/report/progress_reporter.h"

#include <algorithm>
#include <utility>

#include "common/image/png.h"
#include "common/rpc/spec_convert.h"

namespace phasor::worker {

queue::Phase PhaseOf(engine::UnitKind kind) {
  switch (kind) {
    case engine::UnitKind::kEncode:
      return queue::Phase::kEncoding;
    case engine::UnitKind::kStep:
      return queue::Phase::kDenoising;
    case engine::UnitKind::kDecode:
      return queue::Phase::kDecoding;
    case engine::UnitKind::kDone:
      return queue::Phase::kPublishing;
  }
  return queue::Phase::kNone;
}

ProgressReporter::ProgressReporter(const queue::Fence& fence, const ProgressSink& sink,
                                   const UnitPace& pace, Options options)
    : fence_(fence), sink_(sink), pace_(pace), options_(std::move(options)) {}

v1::JobProgress ProgressReporter::Message(queue::Phase phase, int step) const {
  v1::JobProgress message;
  message.set_job_id(fence_.id);
  message.set_epoch(fence_.epoch);
  message.set_state(rpc::ToProto(job::State::kLeased, phase));
  message.set_step(step);
  message.set_steps(options_.steps);
  return message;
}

void ProgressReporter::Phase(queue::Phase phase) { sink_(Message(phase, step_)); }

void ProgressReporter::BeforeUnit(const engine::Unit& unit) {
  // PNDM runs one more unit than it has steps; a watcher sees the steps that were asked for.
  if (unit.kind == engine::UnitKind::kStep) step_ = std::min(unit.index, options_.steps);
  if (unit.kind == engine::UnitKind::kDecode) step_ = options_.steps;
  v1::JobProgress message = Message(PhaseOf(unit.kind), step_);
  message.set_seconds_left(pace_.SecondsLeft(options_.shape, unit, options_.images));
  sink_(message);
}

void ProgressReporter::AfterStep(const engine::Run& run, int steps_done) {
  if (options_.preview_every <= 0 || steps_done % options_.preview_every != 0) return;
  for (int image = 0; image < options_.images; ++image) {
    const StatusOr<engine::Image> preview = run.Preview(image);
    if (!preview.ok()) return;  // a family without previews
    StatusOr<std::string> png = image::EncodePng(preview->width, preview->height, preview->rgb, {});
    if (!png.ok()) return;
    v1::JobProgress message =
        Message(queue::Phase::kDenoising, std::min(steps_done, options_.steps));
    message.set_preview_image(image);
    message.set_preview_png(*std::move(png));
    sink_(message);
  }
}

}  // namespace phasor::worker
