#include "tests/integration/s3_server.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace phasor::storage {
namespace {

[[noreturn]] void Die(const std::string& sentence) {
  std::fprintf(stderr, "S3Server: %s\n", sentence.c_str());
  std::abort();
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The environment that ./dev installs from tools/dev/s3_server.txt.
std::string Python() {
  std::string cache = Variable("PHASOR_CACHE_DIR");
  if (cache.empty()) {
    const std::string base = Variable("XDG_CACHE_HOME");
    cache = (base.empty() ? Variable("HOME") + "/.cache" : base) + "/phasor";
  }
  return cache + "/s3-server/bin/python";
}

}  // namespace

S3Server::S3Server(bool honours_conditions) {
  ::setenv("no_proxy", "127.0.0.1", 1);
  const std::string python = Python();
  const std::string script = Variable("PHASOR_SOURCE_DIR") + "/tests/integration/s3_server.py";
  if (::access(python.c_str(), X_OK) != 0) {
    Die(python + " is missing: ./dev test installs it (moto, an S3 server for tests)");
  }
  if (!std::filesystem::exists(script)) Die("PHASOR_SOURCE_DIR must name the source tree");
  int out[2];
  if (::pipe(out) != 0) Die("cannot make a pipe");
  pid_ = ::fork();
  if (pid_ < 0) Die("cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(out[1], STDOUT_FILENO);
    ::close(out[0]);
    ::close(out[1]);
    const char* option = honours_conditions ? nullptr : "--ignore-conditions";
    ::execl(python.c_str(), python.c_str(), "-B", script.c_str(), option, nullptr);
    _exit(127);
  }
  ::close(out[1]);
  std::FILE* lines = ::fdopen(out[0], "r");
  char line[64] = "";  // to its end, or the server would write the rest to nobody
  int port = 0;
  if (lines == nullptr || std::fgets(line, sizeof(line), lines) == nullptr ||
      std::sscanf(line, "ready %d", &port) != 1) {
    Die("it did not come up");
  }
  std::fclose(lines);
  endpoint_ = "http://127.0.0.1:" + std::to_string(port);
}

S3Server::~S3Server() { Kill(); }

AwsCredentials S3Server::Credentials() {
  return {.access_key_id = "phasor-test",
          .secret_access_key = "a/secret+with=odd:characters",
          .session_token = ""};
}

void S3Server::Kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void S3Server::Pause() { ::kill(pid_, SIGSTOP); }
void S3Server::Resume() { ::kill(pid_, SIGCONT); }

}  // namespace phasor::storage
