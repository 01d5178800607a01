// A folder with an authority, certificates that it issued and what tests do to them. For tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/tls/issue.h"
#include "common/tls/material.h"

namespace phasor::tls {

inline constexpr int64_t kHourMs = 3'600'000;

class TestingFolder {
 public:
  TestingFolder() : now_(SystemClock().WallMillis()) {
    std::string made = std::filesystem::temp_directory_path() / "phasor-tls-XXXXXX";
    path_ = mkdtemp(made.data());
    authority_ = MakeAuthority("The test's authority", Around()).value();
    Write("ca.pem", authority_.certificate);
  }
  ~TestingFolder() { std::filesystem::remove_all(path_); }
  TestingFolder(const TestingFolder&) = delete;
  TestingFolder& operator=(const TestingFolder&) = delete;

  int64_t now() const { return now_; }
  // From an hour ago to in an hour.
  Validity Around() const { return {now_ - kHourMs, now_ + kHourMs}; }
  const Issued& authority() const { return authority_; }

  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::trunc) << text;
  }

  // NAME.pem and NAME.key, with the authority beside them.
  Files Issue(const std::string& name, const std::vector<std::string>& names,
              const Validity& validity) const {
    return IssueBy(authority_, name, names, validity);
  }
  Files Issue(const std::string& name) const {
    return Issue(name, {"localhost", "127.0.0.1"}, Around());
  }
  Files IssueBy(const Issued& authority, const std::string& name,
                const std::vector<std::string>& names, const Validity& validity) const {
    const Issued issued = IssueCertificate(authority, names, validity).value();
    Write(name + ".pem", issued.certificate);
    Write(name + ".key", issued.key);
    return {Path(name + ".pem"), Path(name + ".key"), Path("ca.pem")};
  }

 private:
  const int64_t now_;
  std::string path_;
  Issued authority_;
};

}  // namespace phasor::tls
