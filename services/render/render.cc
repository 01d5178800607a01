#include "services/render/render.h"

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/byte_size.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/user_file.h"
#include "common/config/model_card.h"
#include "engine/api/result_png.h"
#include "engine/weights/tensor_file.h"
#include "services/render/checkpoint_file.h"
#include "services/render/memory_plot.h"
#include "services/render/plan_text.h"
#include "services/render/profile.h"
#include "services/render/progress.h"
#include "services/render/render_report.h"
#include "services/render/render_request.h"

namespace phasor::render {
namespace {

using engine::Unit;
using engine::UnitKind;

constexpr size_t kMaxCheckpointBytes = size_t{4} << 30;

struct Outcome {
  ExitCode code = ExitCode::kDone;
  Status status;
  bool done() const { return code == ExitCode::kDone; }
};

Outcome Failed(const Status& status) { return {ExitCodeOf(status), status}; }

// So that a run of minutes does not end in an error that was known at its start.
Status CheckWritable(const std::string& option, const std::string& file) {
  if (file.empty()) return OkStatus();
  std::error_code ignored;
  std::filesystem::path parent = std::filesystem::path(file).parent_path();
  if (parent.empty()) parent = ".";
  if (std::filesystem::is_directory(file, ignored)) {
    return InvalidArgument(option + ": " + file + " is a directory");
  }
  if (!std::filesystem::is_directory(parent, ignored)) {
    return InvalidArgument(option + ": there is no directory " + parent.string());
  }
  if (::access(parent.c_str(), W_OK) != 0) {
    return InvalidArgument(option + ": cannot write to directory " + parent.string());
  }
  return OkStatus();
}

Status CheckFiles(const RenderOptions& options) {
  RETURN_IF_ERROR(CheckWritable("--output", options.output));
  RETURN_IF_ERROR(CheckWritable("--dump-latents", options.dump_latents));
  RETURN_IF_ERROR(CheckWritable("--dump-embeddings", options.dump_embeddings));
  RETURN_IF_ERROR(CheckWritable("--report", options.report));
  const std::string kept = options.profile ? options.engine.cache_directory : "";
  for (const std::string& directory : {options.checkpoint_dir, options.preview_dir, kept}) {
    if (!directory.empty()) RETURN_IF_ERROR(MakeDirectories(directory));
  }
  return OkStatus();
}

// "out.png" for a single picture, "out-3.png" for one of several.
std::string ImagePath(const std::string& output, int index, int count) {
  if (count == 1) return output;
  std::filesystem::path path(output);
  const std::string name =
      path.stem().string() + "-" + std::to_string(index) + path.extension().string();
  return path.replace_filename(name);
}

class RenderJob {
 public:
  RenderJob(const RenderOptions& options, const RenderEnvironment& environment)
      : options_(options), environment_(environment), begin_(environment.clock.Steady()) {}

  Outcome Run() {
    Outcome outcome = Prepare();
    if (options_.plan || options_.profile) return outcome;
    if (outcome.done()) outcome = RunUnits();
    if (run_ != nullptr) WarnOfDegradations();
    const bool wanted = outcome.done() || outcome.code == ExitCode::kInterrupted;
    if (Status dumped = wanted ? DumpTensors() : OkStatus(); !dumped.ok()) return Failed(dumped);
    if (outcome.done() && !stopped_) return Failed(WriteImages());
    return outcome;
  }

  // The report and the plot.
  Status WriteReports(const Outcome& outcome) {
    if (!options_.memory_plot.empty() && run_ != nullptr) {
      RETURN_IF_ERROR(WriteUserFile(options_.memory_plot, MemoryPlot(run_->Report())));
    }
    if (options_.report.empty()) return OkStatus();
    report_.status = outcome.code == ExitCode::kInterrupted || stopped_ ? "interrupted"
                     : outcome.done()                                   ? "done"
                                                                        : "failed";
    report_.error = Message(outcome.status);
    if (run_ != nullptr) report_.run = run_->Report();
    report_.total_seconds = SecondsBetween(begin_, environment_.clock.Steady());
    const std::string text = ToJson(report_).dump(2, ' ', /*ensure_ascii=*/false,
                                                  nlohmann::json::error_handler_t::replace);
    return WriteUserFile(options_.report, text + "\n");
  }

 private:
  Outcome Prepare() {
    if (Status files = CheckFiles(options_); !files.ok()) {
      return {ExitCode::kBadArguments, files};
    }
    const StatusOr<config::ModelCard> card = config::ReadModelCard(options_.model);
    if (!card.ok()) return {ExitCodeOfLoading(card.status()), card.status()};
    StatusOr<PictureSpec> spec = MakePictureSpec(options_, *card);
    if (!spec.ok()) return Failed(spec.status());
    report_.spec = *std::move(spec);
    engine::EngineOptions engine_options = options_.engine;
    // A plan moves nothing, whether it fits or not.
    if (options_.plan) engine_options.strategy = WhereverItFits(engine_options.strategy);
    engine_options.uncalibrated = options_.profile;
    auto engine = environment_.make_engine(engine_options);
    if (!engine.ok()) return Failed(engine.status());
    engine_ = *std::move(engine);
    report_.versions = engine_->Versions();
    auto model = engine_->Load(options_.model);
    if (!model.ok()) return {ExitCodeOfLoading(model.status()), model.status()};
    model_ = *std::move(model);
    report_.model = model_->info();
    if (options_.plan) return Failed(WritePlan());
    if (options_.profile) {
      return Failed(WriteProfile(*model_, *card, report_.spec,
                                 {environment_.stop, environment_.out, environment_.err}));
    }
    auto run = model_->Start(report_.spec);
    if (!run.ok()) return Failed(run.status());
    run_ = *std::move(run);
    for (const std::string& warning : run_->Report().warnings) Warn(warning);
    return Failed(TakeInputs());
  }

  // A strategy without what it says about places; an unknown one as it is.
  static std::string WhereverItFits(const std::string& strategy) {
    const auto choice = engine::ParseStrategy(strategy);
    if (!choice.ok()) return strategy;
    if (choice->form == engine::WeightForm::kPlain) return "AUTO";
    return engine::NameOf(engine::Strategy::kFull, choice->form);
  }

  // RESOURCE_EXHAUSTED where the strategy that would run is not expected to fit.
  Status WritePlan() {
    ASSIGN_OR_RETURN(const engine::ModelPlan plan, model_->Plan(report_.spec));
    for (const std::string& warning : plan.warnings) Warn(warning);
    engine::ResidencyPlan shown = plan.chosen.residency;
    const std::string& asked = options_.engine.strategy;
    const bool open = asked == WhereverItFits(asked);
    for (const engine::ResidencyPlan& one : plan.strategies) {
      if (one.name() == asked && !open) shown = one;
    }
    if (options_.json) {
      environment_.out << PlanJson(plan, shown, report_.spec);
    } else {
      ASSIGN_OR_RETURN(const engine::LargestSquares largest, model_->Largest(report_.spec));
      environment_.out << PlanText(plan, shown.name(), largest);
    }
    if (shown.FitsIn(plan.budget)) return OkStatus();
    return ResourceExhausted("this request is not expected to fit: it takes " +
                             ByteSizeText(shown.peak_bytes()));
  }

  // --latents and --resume.
  Status TakeInputs() {
    if (!options_.latents.empty()) RETURN_IF_ERROR(ReadInitialNoise());
    if (options_.resume.empty()) return OkStatus();
    ASSIGN_OR_RETURN(const std::string snapshot, ReadFile(options_.resume, kMaxCheckpointBytes));
    if (const Status restored = run_->Restore(snapshot); !restored.ok()) {
      report_.resume_refused = Message(restored);
      Warn("starting at step 0: " + options_.resume + ": " + report_.resume_refused);
    }
    return OkStatus();
  }

  Status ReadInitialNoise() {
    if (run_->tensors() == nullptr) return Unimplemented("--latents: this engine has no tensors");
    ASSIGN_OR_RETURN(const std::vector<engine::NamedTensor> tensors,
                     engine::ReadSafetensors(options_.latents));
    for (const engine::NamedTensor& tensor : tensors) {
      if (tensor.name == "latents") return run_->tensors()->SetInitialNoise(tensor);
    }
    return InvalidArgument("--latents: " + options_.latents + " has no tensor \"latents\"");
  }

  Outcome RunUnits() {
    std::optional<CheckpointFile> checkpoint;
    if (!options_.checkpoint_dir.empty()) {
      checkpoint.emplace(options_.checkpoint_dir, *run_, environment_.clock);
    }
    const auto progress = MakeProgress(options_.progress, environment_.err_is_terminal,
                                       environment_.out, environment_.err);
    for (Unit unit = run_->Next(); unit.kind != UnitKind::kDone; unit = run_->Next()) {
      if (environment_.stop || AtLastStep(unit)) return Stop(checkpoint);
      progress->Show(unit);
      if (Status advanced = run_->Advance(); !advanced.ok()) return Failed(advanced);
      if (unit.kind != UnitKind::kStep) continue;
      if (Status preview = WritePreviews(unit.index); !preview.ok()) return Failed(preview);
      if (!checkpoint) continue;
      if (Status written = checkpoint->AfterStep(*run_); !written.ok()) {
        Warn("no checkpoint: " + Message(written));
      }
    }
    progress->Show(run_->Next());
    if (checkpoint) checkpoint->Remove();
    return {};
  }

  // --stop-after-step K: K steps are done when step K or a decoding comes next.
  bool AtLastStep(const Unit& next) const {
    if (!options_.stop_after_step || next.kind == UnitKind::kEncode) return false;
    return next.kind == UnitKind::kDecode || next.index >= *options_.stop_after_step;
  }

  Outcome Stop(std::optional<CheckpointFile>& checkpoint) {
    stopped_ = true;
    if (!checkpoint) {
      if (environment_.stop) return {ExitCode::kStopped, Cancelled("stopped by a signal")};
      return {};
    }
    if (Status written = checkpoint->Write(*run_); !written.ok()) {
      const bool nothing_yet = written.code() == StatusCode::kFailedPrecondition;
      return {nothing_yet ? ExitCode::kStopped : ExitCode::kFailed,
              Annotate(written, "stopped without a checkpoint")};
    }
    report_.checkpoint = checkpoint->path();
    Warn("stopped; go on with --resume " + checkpoint->path());
    return {ExitCode::kInterrupted, OkStatus()};
  }

  Status WritePreviews(int step) {
    if (options_.preview_dir.empty()) return OkStatus();
    for (int i = 0; i < report_.spec.images; ++i) {
      ASSIGN_OR_RETURN(const engine::Image image, run_->Preview(i));
      const std::string path = options_.preview_dir + "/step-" + std::to_string(step) + "-image-" +
                               std::to_string(i) + ".png";
      RETURN_IF_ERROR(WritePng(path, i, image).status());
    }
    return OkStatus();
  }

  Status DumpTensors() {
    engine::RunTensors* const tensors = run_->tensors();
    if (options_.dump_latents.empty() && options_.dump_embeddings.empty()) return OkStatus();
    if (tensors == nullptr) return Unimplemented("this engine has no tensors to dump");
    if (!options_.dump_latents.empty()) {
      ASSIGN_OR_RETURN(engine::NamedTensor latents, tensors->Latents());
      RETURN_IF_ERROR(engine::WriteSafetensors(options_.dump_latents, {std::move(latents)}));
    }
    if (!options_.dump_embeddings.empty()) {
      ASSIGN_OR_RETURN(const std::vector<engine::NamedTensor> embeddings, tensors->Embeddings());
      RETURN_IF_ERROR(engine::WriteSafetensors(options_.dump_embeddings, embeddings));
    }
    return OkStatus();
  }

  Status WriteImages() {
    const std::vector<engine::Image>& images = run_->images();
    for (size_t i = 0; i < images.size(); ++i) {
      const int index = static_cast<int>(i);
      const std::string path = ImagePath(options_.output, index, static_cast<int>(images.size()));
      ASSIGN_OR_RETURN(const std::string png, WritePng(path, index, images[i]));
      report_.images.push_back({path, Sha256Hex(png), report_.spec.seed + i});
      environment_.out << path << std::endl;
    }
    return OkStatus();
  }

  // Gives the bytes that were written.
  StatusOr<std::string> WritePng(const std::string& path, int index, const engine::Image& image) {
    ASSIGN_OR_RETURN(std::string png,
                     engine::ResultPng(report_.spec, model_->info(), run_->Report(), index, image));
    RETURN_IF_ERROR(WriteUserFile(path, png));
    return png;
  }

  void WarnOfDegradations() {
    for (const engine::Degradation& one : run_->Report().degradations) {
      Warn(one.action + " since: " + one.reason);
    }
  }

  void Warn(const std::string& text) { environment_.err << "phasor-render: " << text << std::endl; }

  const RenderOptions& options_;
  const RenderEnvironment& environment_;
  const SteadyTime begin_;
  std::unique_ptr<engine::Engine> engine_;
  std::shared_ptr<engine::Model> model_;
  std::unique_ptr<engine::Run> run_;
  RenderReport report_;
  bool stopped_ = false;
};

}  // namespace

ExitCode Render(const RenderOptions& options, const RenderEnvironment& environment) {
  RenderJob job(options, environment);
  Outcome outcome = job.Run();
  if (const Status reported = job.WriteReports(outcome); !reported.ok() && outcome.done()) {
    outcome = Failed(reported);
  }
  if (!outcome.status.ok()) {
    environment.err << "phasor-render: " << Message(outcome.status) << std::endl;
  }
  return outcome.code;
}

}  // namespace phasor::render
