#include "services/render/render_options.h"

#include "common/base/byte_size.h"
#include "common/flags/command.h"
#include "common/picture/flags.h"
#include "engine/api/schedulers.h"
#include "engine/api/version.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/memory/memory_budget.h"
#include "engine/memory/presets.h"

namespace phasor::render {
namespace {

void AddRequest(flags::Command& command, RenderOptions* options) {
  command.Text("--model", &options->model, "Model directory in diffusers' layout").Required();
  picture::AddFlags(command, &options->asked);
}

void AddEngine(flags::Command& command, RenderOptions* options) {
  command.Text("--preset", &options->preset,
               "4gb, 8gb, 24gb: device and memory for a card of that size, or the CPU where there "
               "is none; cpu. --device and --vram win");
  command.Text(
      "--device", &options->engine.device,
      "cpu, the default; sim: the CPU with a card's memory, simulated; cuda:N: a card; auto: "
      "the first card there is, else the CPU");
  command.Value("--vram", "SIZE",
                "Memory of the simulated device, or what to take of a card's, e.g. 4GiB; default: "
                "no bound",
                "", [options](const std::string& text) -> Status {
                  ASSIGN_OR_RETURN(
                      options->engine.vram_bytes,
                      ParseByteSize(text, engine::kLeastDeviceBytes, engine::kMostDeviceBytes));
                  return OkStatus();
                });
  command.Text("--strategy", &options->engine.strategy,
               "How weights share the device's memory: FP16_FULL, CPU_OFFLOAD, "
               "SEQUENTIAL_OFFLOAD, or AUTO: the cheapest that fits");
  command.Flag("--split-guidance", &options->engine.cuts.split_guidance,
               "Compute the two passes of guidance one after the other: less memory, other "
               "rounding");
  command.Whole("--vae-tile", &options->engine.cuts.vae_tile,
                "Decode by tiles of so many pixels a side, as diffusers' enable_vae_tiling; "
                "0: as a whole");
  command.Flag("--decode-on-host", &options->engine.cuts.decode_on_host,
               "Let the host decode, which takes nothing of the device's memory and is slow");
  command.Flag("--plan", &options->plan,
               "Print what the request would take under each strategy, and draw nothing");
  command.Flag("--json", &options->json, "With --plan: as a line of JSON");
  command.Flag("--profile", &options->profile,
               "Measure what the model takes on this machine, from the smallest size to the "
               "request's, and draw nothing; plans and estimates use it from then on");
  command.Text("--dtype", &options->engine.dtype,
               "What the networks compute in: fp32, bf16 or fp16, where the device has it; auto: "
               "fp16 on cards, else fp32");
  for (const engine::ComputeSwitch& one : engine::ComputeSwitches()) {
    command.Text(one.flag(), &(options->engine.compute.*one.word), one.hint());
  }
  command.Text("--cache", &options->engine.cache_directory,
               "Folder for digests, quantised weights and what was measured; default: "
               "$XDG_CACHE_HOME/phasor or ~/.cache/phasor");
  command.Text("--variant", &options->engine.variant,
               "Which of several sets of weights to read, e.g. fp16");
  command.Whole("--threads", &options->engine.threads, "0: all cores the process may use");
}

void AddFiles(flags::Command& command, RenderOptions* options) {
  command.Text("--output", &options->output, "PNG to write; several images: NAME-0.png, ...");
  command.Text("--dump-latents", &options->dump_latents, "safetensors file for the latents");
  command.Text("--dump-embeddings", &options->dump_embeddings,
               "safetensors file for the prompt embeddings");
  command.Text("--latents", &options->latents,
               "safetensors file with the initial noise as tensor \"latents\"");
  command.Text("--checkpoint-dir", &options->checkpoint_dir,
               "Where checkpoints are written; SIGINT and SIGTERM then stop with exit code 5");
  command.Whole("--stop-after-step", &options->stop_after_step,
                "Stop after this many steps, with a checkpoint");
  command.Text("--resume", &options->resume, "Checkpoint to go on from");
  command.Text("--report", &options->report, "JSON report to write");
  command.Text("--memory-plot", &options->memory_plot,
               "SVG to write: the device's memory over the run, by kind");
  command.Text("--preview-dir", &options->preview_dir, "Where to write a preview of every step");
}

void AddProgress(flags::Command& command, std::string* word) {
  command.OneOf("--progress", {"auto", "none", "json"}, word,
                "auto (a bar on a terminal), none, or json (a line a unit on standard output)");
}

ProgressMode ModeOf(const std::string& word) {
  if (word == "none") return ProgressMode::kNone;
  return word == "json" ? ProgressMode::kJson : ProgressMode::kAuto;
}

// What the preset says and no flag does.
Status TakePreset(RenderOptions* options) {
  engine::EngineOptions& engine = options->engine;
  uint64_t vram_bytes = 0;
  if (!options->preset.empty()) {
    const auto preset = engine::FindPreset(options->preset);
    if (!preset.ok()) return Annotate(preset.status(), "--preset");
    if (engine.device.empty()) engine.device = preset->device;
    vram_bytes = preset->vram_bytes;
  }
  if (engine.device.empty()) engine.device = "cpu";
  if (engine.vram_bytes == 0 && engine::IsBoundable(engine.device)) engine.vram_bytes = vram_bytes;
  return OkStatus();
}

Status CheckTogether(const RenderOptions& options) {
  RETURN_IF_ERROR(Annotate(engine::CheckDeviceName(options.engine.device), "--device"));
  if (options.engine.vram_bytes > 0 && !engine::IsBoundable(options.engine.device)) {
    return InvalidArgument(std::string("--vram: ") + engine::kBoundable);
  }
  RETURN_IF_ERROR(engine::CheckCompute(options.engine.compute));
  if (options.json && !options.plan) return InvalidArgument("--json: only with --plan");
  if (options.profile && options.plan) return InvalidArgument("--profile: not with --plan");
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
  options.engine.device.clear();
  std::string progress = "auto";
  flags::CommandLine line(
      "phasor-render",
      "Draws pictures from a prompt with Phasor's engine alone: files in, PNG out.");
  line.Version("phasor-render, engine " + std::string(engine::kEngineVersion));
  line.LastOneWins();
  AddRequest(line, &options);
  AddEngine(line, &options);
  AddFiles(line, &options);
  AddProgress(line, &progress);
  line.Footer(
      "Samplers: " + engine::SchedulerAliases() +
      ", or diffusers' class names.\n"
      "Exit codes: 0 done, 1 failed, 2 bad arguments, 3 model unreadable, 4 does not fit in "
      "memory,\n"
      "5 interrupted with a checkpoint written, 70 device lost, 130 interrupted without one.");
  ASSIGN_OR_RETURN(const bool run, line.Parse(argc, argv, out));
  if (!run) return std::optional<RenderOptions>();
  if (!options.asked.Has("prompt") && !options.plan && !options.profile) {
    return InvalidArgument("--prompt is required");
  }
  options.progress = ModeOf(progress);
  RETURN_IF_ERROR(TakePreset(&options));
  RETURN_IF_ERROR(CheckTogether(options));
  return std::optional<RenderOptions>(std::move(options));
}

}  // namespace phasor::render
