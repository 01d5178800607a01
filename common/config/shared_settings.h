// The settings that gateway and worker share, declared in one place.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/config/settings.h"
#include "common/log/log.h"

namespace phasor::config {

// Log words as the user writes them.
struct LogWords {
  std::string level = "info";
  std::string format = "text";
};

// `Config` has the texts redis, store, models and metrics, and the flag allow_job_loss.
template <typename Config>
void DeclareShared(Settings& settings, Config* config, LogWords* words) {
  settings.Text({"redis", "redis://[user:password@]host[:port] or unix:///socket"}, &config->redis);
  settings.Flag({"allow_job_loss",
                 "serve although Redis may lose jobs (docs/redis.md): it evicts keys or has no "
                 "append-only file"},
                &config->allow_job_loss);
  settings.Text(
      {"store", "result store: a folder, or a URL: file, redis, unix or s3 (docs/storage.md)"},
      &config->store);
  settings.Text({"models", "a model's directory, or a folder of them"}, &config->models);
  settings.Text({"metrics", "host:port of /metrics and /readyz, or 'off'"}, &config->metrics);
  settings.Text({"log_level", "debug, info, warn, error or off"}, &words->level);
  settings.Text({"log_format", "text or json"}, &words->format);
}

// INVALID_ARGUMENT names the word.
inline StatusOr<log::LogConfig> ParseLogWords(const LogWords& words) {
  log::LogConfig config;
  ASSIGN_OR_RETURN(config.level, log::ParseLevel(words.level));
  ASSIGN_OR_RETURN(config.format, log::ParseFormat(words.format));
  return config;
}

}  // namespace phasor::config
