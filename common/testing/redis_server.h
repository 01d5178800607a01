// A redis-server of a test's own: on a unix socket in a temporary folder, no network port, with an
// append-only file so that it can be killed and started again. Killed, and its folder removed,
// with the object; also when the test program dies. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace phasor {

class RedisServer {
 public:
  // Starts it with `arguments` added and waits until it answers; aborts with a sentence if
  // redis-server is not installed or does not come up.
  explicit RedisServer(std::vector<std::string> arguments = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // unix:///...
  const std::string& url() const { return url_; }

  // kill -9.
  void Kill();
  // After Kill, with the same data.
  void Start();
  // SIGSTOP and SIGCONT: the server is there and does not answer.
  void Pause();
  void Resume();

 private:
  std::string folder_;
  std::string url_;
  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
};

}  // namespace phasor
