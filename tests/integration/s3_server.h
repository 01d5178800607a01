// An S3 server of a test's own (s3_server.py: moto behind a check of signatures), on a free port of
// 127.0.0.1. Killed with the object; also when the test program dies. One thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "common/storage/s3/curl_transport.h"

namespace phasor::storage {

class S3Server {
 public:
  // Waits until it serves; aborts with a sentence if its Python environment is not installed.
  explicit S3Server(bool honours_conditions = true);
  ~S3Server();
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  static constexpr const char* kBucket = "phasor";
  // The ones that it accepts.
  static AwsCredentials Credentials();

  void Kill();
  // SIGSTOP and SIGCONT: the server is there and does not answer.
  void Pause();
  void Resume();

 private:
  std::string endpoint_;
  pid_t pid_ = -1;
};

}  // namespace phasor::storage
