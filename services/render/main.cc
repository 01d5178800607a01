// phasor-render: the engine alone. The composition root: clock, signals, engine.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "common/base/clock.h"
#include "engine/runtime/make_engine.h"
#include "services/render/render.h"
#include "services/render/render_options.h"

namespace {

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

// The first signal stops the run at its next unit; a second one ends the process at once.
void OnSignal(int signal) {
  if (stop_requested.exchange(true)) std::signal(signal, SIG_DFL), std::raise(signal);
}

std::string CacheDirectory() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return std::string(cache) + "/phasor";
  const char* const home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.cache/phasor";
}

}  // namespace

int main(int argc, char** argv) {
  using phasor::render::ExitCode;
  const auto parsed = phasor::render::ParseOptions(argc, argv, std::cout);
  if (!parsed.ok()) {
    std::cerr << "phasor-render: " << phasor::Message(parsed.status()) << "\n";
    return static_cast<int>(ExitCode::kBadArguments);
  }
  if (!parsed->has_value()) return static_cast<int>(ExitCode::kDone);
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
  const phasor::SystemClock clock;
  const phasor::render::RenderEnvironment environment{
      .make_engine =
          [&](phasor::engine::EngineOptions options) {
            if (options.cache_directory.empty()) options.cache_directory = CacheDirectory();
            return phasor::engine::MakeEngine(options, clock);
          },
      .clock = clock,
      .stop = stop_requested,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
      .out = std::cout,
      .err = std::cerr};
  return static_cast<int>(phasor::render::Render(**parsed, environment));
}
