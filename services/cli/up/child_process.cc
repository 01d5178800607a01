#include "services/cli/up/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace phasor::cli {
namespace {

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void Become(char* const* argv, int log, int report, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(argv[0], argv);
  const int error = errno;
  (void)!write(report, &error, sizeof(error));
  _exit(127);
}

}  // namespace

StatusOr<pid_t> Spawn(const std::vector<std::string>& argv, const std::string& log_file) {
  std::vector<char*> raw;
  for (const std::string& argument : argv) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return FailedPrecondition(log_file + ": " + std::strerror(errno));
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    close(log);
    return FailedPrecondition(std::string("pipe: ") + std::strerror(errno));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(raw.data(), log, report[1], parent);
  const int fork_error = errno;
  close(log);
  close(report[1]);
  int error = 0;
  const bool failed = pid > 0 && read(report[0], &error, sizeof(error)) == sizeof(error);
  close(report[0]);
  if (pid < 0) return FailedPrecondition(std::string("fork: ") + std::strerror(fork_error));
  if (failed) {
    waitpid(pid, nullptr, 0);
    return FailedPrecondition(argv[0] + " can't be started: " + std::strerror(error));
  }
  return pid;
}

void Terminate(pid_t pid) { kill(pid, SIGTERM); }

void Kill(pid_t pid) { kill(pid, SIGKILL); }

std::optional<std::pair<pid_t, std::string>> Reap() {
  int status = 0;
  const pid_t pid = waitpid(-1, &status, WNOHANG);
  if (pid <= 0) return std::nullopt;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return std::pair(pid, "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")");
  }
  return std::pair(pid, "exit code " + std::to_string(WEXITSTATUS(status)));
}

}  // namespace phasor::cli
