// Certificates that are in use and are replaced while they are. What is on disk is read again and
// again; what is right goes into use, what is wrong is reported and leaves the old in use.
//
// gRPC's file watcher takes what its files hold without a look at it. So it watches copies that
// only good material reaches: files in memory of this process alone, replaced as a whole.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/tls/material.h"

namespace phasor::tls {

class StagedFile;

class Source {
 public:
  // Errors as of ReadMaterial. The clock outlives the source.
  static StatusOr<std::shared_ptr<Source>> Open(const Files& files, const Clock* clock);
  ~Source();

  // Reads the files and puts what has changed into use. An error says why they can't be, or that
  // what is in use has expired.
  Status Look();

  std::shared_ptr<const Material> current() const;
  const Files& files() const { return files_; }
  // How often other material went into use, and how often what was found was refused.
  int64_t replaced() const;
  int64_t refused() const;

  // Where gRPC reads the certificate together with its key, and the authorities; empty: there are
  // none.
  std::string identity_path() const;
  std::string authorities_path() const;

 private:
  Source(Files files, const Clock* clock, Material material);

  const Files files_;
  const Clock* const clock_;
  mutable Mutex mu_;
  std::shared_ptr<const Material> material_ GUARDED_BY(mu_);
  bool wrong_ GUARDED_BY(mu_) = false;  // what was found last was refused
  int64_t replaced_ GUARDED_BY(mu_) = 0;
  int64_t refused_ GUARDED_BY(mu_) = 0;
  std::unique_ptr<StagedFile> identity_;
  std::unique_ptr<StagedFile> authorities_;
};

}  // namespace phasor::tls
