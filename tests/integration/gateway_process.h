// A phasor-gateway of a test's own: the real program, its files in a temporary folder. Killed,
// and the folder removed, with the object. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor {

class GatewayProcess {
 public:
  // `arguments` come behind those for address, store, secret and models, and so win.
  GatewayProcess(const std::string& redis_url, std::vector<std::string> arguments = {});
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  const std::string& folder() const { return folder_; }
  // unix:...
  const std::string& address() const { return address_; }
  std::string store() const { return folder_ + "/store"; }
  pid_t pid() const { return pid_; }

  void Terminate();  // SIGTERM
  // Waits for its end, at most 20 s; the exit code, or -1.
  int Wait();
  // What it wrote on stderr so far.
  std::string Log() const;

 private:
  std::string folder_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace phasor
