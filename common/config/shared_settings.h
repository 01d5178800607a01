// The settings that gateway and worker share, declared in one place.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/config/settings.h"
#include "common/log/log.h"
#include "common/tls/peer_files.h"

namespace phasor::config {

// Log words as the user writes them.
struct LogWords {
  std::string level = "info";
  std::string format = "text";
};

// `Config` has redis_files and store_files.
template <typename Config>
void DeclareBackendFiles(Settings& settings, Config* config) {
  tls::PeerFiles& redis = config->redis_files;
  settings.Text({"redis_user_file", "file with the user that Redis knows"}, &redis.login.user);
  settings.Text({"redis_password_file", "file with its password, read anew for each connection"},
                &redis.login.password);
  settings.Text({"redis_ca",
                 "file with the authorities that vouch for a rediss:// address; default: "
                 "the system's"},
                &redis.tls.authorities);
  settings.Text({"redis_cert", "file with the certificate to show to it"}, &redis.tls.certificate);
  settings.Text({"redis_key", "file with its key"}, &redis.tls.key);
  settings.Text({"store_user_file", "file with the store's user; of S3 the id of the access key"},
                &config->store_files.user);
  settings.Text({"store_password_file", "file with its password; of S3 the secret access key"},
                &config->store_files.password);
}

// `Config` has the text metrics, and metrics_tls.
template <typename Config>
void DeclareOperations(Settings& settings, Config* config) {
  settings.Text({"metrics", "host:port of /metrics and /readyz, or 'off'"}, &config->metrics);
  tls::Files& files = config->metrics_tls;
  settings.Text({"metrics_cert",
                 "file with the certificate to show there, and those that vouch for it; default: "
                 "plain HTTP"},
                &files.certificate);
  settings.Text({"metrics_key", "file with its key"}, &files.key);
  settings.Text(
      {"metrics_client_ca", "file with the authorities whose certificates let monitors in there"},
      &files.authorities);
}

// `Config` has the texts redis, store and models, the flag allow_job_loss, and what
// DeclareBackendFiles and DeclareOperations need.
template <typename Config>
void DeclareShared(Settings& settings, Config* config, LogWords* words) {
  settings.Text({"redis", "redis://host[:port], rediss:// with TLS, or unix:///socket"},
                &config->redis);
  DeclareBackendFiles(settings, config);
  settings.Flag({"allow_job_loss",
                 "serve although Redis may lose jobs (docs/redis.md): it evicts keys or has no "
                 "append-only file"},
                &config->allow_job_loss);
  settings.Text(
      {"store", "result store: a folder, or a URL: file, redis, unix or s3 (docs/storage.md)"},
      &config->store);
  settings.Text(
      {"models",
       "a model's directory, or a folder of them; NAME=DIRECTORY: one under another name"},
      &config->models);
  DeclareOperations(settings, config);
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
