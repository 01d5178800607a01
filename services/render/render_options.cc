#include "services/render/render_options.h"

#include <map>

#include <CLI/CLI.hpp>

#include "engine/api/schedulers.h"
#include "engine/api/version.h"

namespace phasor::render {
namespace {

// CLI11 would wrap a negative number around to a huge one.
std::string NotNegative(const std::string& text) {
  return text.starts_with('-') ? "must not be negative, got " + text : "";
}

void AddRequest(CLI::App* app, RenderOptions* options) {
  app->add_option("--model", options->model, "Model directory in diffusers' layout")->required();
  app->add_option("--prompt", options->prompt, "What to draw")->required();
  app->add_option("--negative", options->negative_prompt, "What not to draw");
  app->add_option("--seed", options->seed, "Seed of image 0; image i has seed + i")
      ->check(NotNegative)
      ->capture_default_str();
  app->add_option("--images", options->images, "Number of pictures")->capture_default_str();
  app->add_option("--steps", options->steps, "Denoising steps");
  app->add_option("--guidance", options->guidance_scale, "Guidance scale; 1 or less is off");
  app->add_option("--width", options->width, "Pixels, a multiple of 8");
  app->add_option("--height", options->height, "Pixels, a multiple of 8");
  app->add_option("--scheduler", options->scheduler,
                  "One of " + engine::SchedulerAliases() + ", or diffusers' class name");
  app->add_option("--clip-skip", options->clip_skip, "Text encoder layers to leave out");
  app->add_option("--eta", options->eta, "DDIM's eta, 0 to 1");
  app->add_option("--guidance-rescale", options->guidance_rescale, "0 (off) to 1");
}

void AddEngine(CLI::App* app, RenderOptions* options) {
  app->add_option("--device", options->engine.device, "cpu")->capture_default_str();
  app->add_option("--dtype", options->engine.dtype, "fp32")->capture_default_str();
  app->add_option("--threads", options->engine.threads, "0: all cores the process may use")
      ->capture_default_str();
}

void AddFiles(CLI::App* app, RenderOptions* options) {
  app->add_option("--output", options->output, "PNG to write; several images: NAME-0.png, ...")
      ->capture_default_str();
  app->add_option("--dump-latents", options->dump_latents, "safetensors file for the latents");
  app->add_option("--dump-embeddings", options->dump_embeddings,
                  "safetensors file for the prompt embeddings");
  app->add_option("--latents", options->latents,
                  "safetensors file with the initial noise as tensor \"latents\"");
  app->add_option("--checkpoint-dir", options->checkpoint_dir,
                  "Where checkpoints are written; SIGINT and SIGTERM then stop with exit code 5");
  app->add_option("--stop-after-step", options->stop_after_step,
                  "Stop after this many steps, with a checkpoint");
  app->add_option("--resume", options->resume, "Checkpoint to go on from");
  app->add_option("--report", options->report, "JSON report to write");
  app->add_option("--preview-dir", options->preview_dir, "Where to write a preview of every step");
  const std::map<std::string, ProgressMode> modes = {
      {"auto", ProgressMode::kAuto}, {"none", ProgressMode::kNone}, {"json", ProgressMode::kJson}};
  app->add_option("--progress", options->progress,
                  "auto (a bar on a terminal), none, or json (a line a unit on standard output)")
      ->transform(CLI::CheckedTransformer(modes));
}

Status CheckTogether(const RenderOptions& options) {
  if (!options.stop_after_step) return OkStatus();
  if (*options.stop_after_step < 1) return InvalidArgument("--stop-after-step: must be at least 1");
  if (options.checkpoint_dir.empty() && options.dump_latents.empty()) {
    return InvalidArgument("--stop-after-step: needs --checkpoint-dir or --dump-latents");
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::optional<RenderOptions>> ParseOptions(int argc, const char* const* argv,
                                                    std::ostream& out) {
  RenderOptions options;
  CLI::App app("Draws pictures from a prompt with Phasor's engine alone: files in, PNG out.",
               "phasor-render");
  app.set_version_flag("--version", "phasor-render, engine " + std::string(engine::kEngineVersion));
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  AddRequest(&app, &options);
  AddEngine(&app, &options);
  AddFiles(&app, &options);
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 bad arguments, 3 model unreadable, 4 does not fit in "
      "memory,\n"
      "5 interrupted with a checkpoint written, 70 device lost, 130 interrupted without one.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    out << app.help();
    return std::optional<RenderOptions>();
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << "\n";
    return std::optional<RenderOptions>();
  } catch (const CLI::ParseError& error) {
    return InvalidArgument(error.what());
  }
  RETURN_IF_ERROR(CheckTogether(options));
  return std::optional<RenderOptions>(std::move(options));
}

}  // namespace phasor::render
