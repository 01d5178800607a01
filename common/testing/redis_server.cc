#include "common/testing/redis_server.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

namespace phasor {
namespace {

constexpr std::chrono::seconds kStartLimit{20};

[[noreturn]] void Die(const std::string& sentence) {
  std::fprintf(stderr, "RedisServer: %s\n", sentence.c_str());
  std::abort();
}

// True when a PING is answered: the socket exists before the data is loaded.
bool Answers(const std::string& socket_path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof(address.sun_path) - 1);
  char reply[8] = {};
  // A server with a password refuses the PING; one that still loads its data says -LOADING.
  const bool answers =
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      ::send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 && ::recv(fd, reply, 7, 0) == 7 &&
      (std::strncmp(reply, "+PONG", 5) == 0 || std::strncmp(reply, "-NOAUTH", 7) == 0);
  ::close(fd);
  return answers;
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  std::string pattern = std::filesystem::temp_directory_path() / "phasor-redis-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) Die("cannot make a temporary folder");
  folder_ = pattern;
  url_ = "unix://" + folder_ + "/redis.sock";
  Start();
}

RedisServer::~RedisServer() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void RedisServer::Start() {
  const std::string socket_path = folder_ + "/redis.sock";
  std::vector<std::string> command = {
      "redis-server", "--port",      "0", "--unixsocket", socket_path, "--dir",
      folder_,        "--save",      "",  "--appendonly", "yes",       "--logfile",
      "redis.log",    "--daemonize", "no"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ < 0) Die("cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execvp(argv[0], argv.data());
    _exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + kStartLimit;
  while (!Answers(socket_path)) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      pid_ = -1;
      Die("redis-server is not installed or refused to start");
    }
    if (std::chrono::steady_clock::now() > end) Die("redis-server did not come up in time");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void RedisServer::Kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::Pause() { ::kill(pid_, SIGSTOP); }
void RedisServer::Resume() { ::kill(pid_, SIGCONT); }

}  // namespace phasor
