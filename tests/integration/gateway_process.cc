#include "tests/integration/gateway_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "common/base/file.h"

namespace phasor {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : ".";
}

}  // namespace

GatewayProcess::GatewayProcess(const std::string& redis_url, std::vector<std::string> arguments) {
  std::string name = "/tmp/phasor-gateway-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name;
  address_ = "unix:" + folder_ + "/g.sock";
  std::vector<std::string> line = {FromEnvironment("PHASOR_BIN_DIR") + "/phasor-gateway",
                                   "--redis",
                                   redis_url,
                                   "--listen",
                                   address_,
                                   "--metrics",
                                   "off",
                                   "--store",
                                   store(),
                                   "--secret-file",
                                   folder_ + "/secret",
                                   "--models",
                                   FromEnvironment("PHASOR_SOURCE_DIR") + "/models",
                                   "--grace",
                                   "2"};
  // A later flag of the same name would be an error: replace instead.
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    bool replaced = false;
    for (size_t k = 1; k + 1 < line.size(); k += 2) {
      if (line[k] != arguments[i]) continue;
      line[k + 1] = arguments[i + 1];
      replaced = true;
    }
    if (!replaced) line.insert(line.end(), {arguments[i], arguments[i + 1]});
  }
  std::vector<char*> argv;
  for (std::string& word : line) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log = folder_ + "/log";
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
}

GatewayProcess::~GatewayProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void GatewayProcess::Terminate() { kill(pid_, SIGTERM); }

int GatewayProcess::Wait() {
  using Clock = std::chrono::steady_clock;
  const auto limit = Clock::now() + std::chrono::seconds(20);
  int status = 0;
  while (Clock::now() < limit) {
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return -1;
}

std::string GatewayProcess::Log() const { return ReadFile(folder_ + "/log", 1 << 20).value_or(""); }

}  // namespace phasor
