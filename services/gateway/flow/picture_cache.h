// The pictures that streams are sending. Each is read from the store once however many streams send
// it at the same time, checked against its digest, and kept while one of them holds it. All
// together take no more than a budget: what does not fit waits until others are let go, in the
// order of asking. A picture above the budget comes alone. Thread-safe; Load never blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/metrics/registry.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/work_pool.h"

namespace phasor::gateway {

class PictureCache {
 public:
  struct Parts {  // all outlive the cache, and the cache all pictures
    JobReader* reader = nullptr;
    WorkPool* pool = nullptr;
    metrics::Registry* metrics = nullptr;
  };
  explicit PictureCache(const Parts& parts, uint64_t budget_bytes = uint64_t{256} << 20);

  // The budget has the room again when the last copy is gone.
  using Picture = std::shared_ptr<const std::string>;
  using OnPicture = std::function<void(const StatusOr<Picture>&)>;
  // Errors of JobReader::Picture; RESOURCE_EXHAUSTED with RetryInfo when too many wait. Calls
  // `on_picture` once, from the pool or before it returns.
  void Load(const storage::ResultImage& image, OnPicture on_picture);

  uint64_t bytes();

 private:
  struct Entry {
    storage::ResultImage image;
    bool asked = false;  // it waits for room, or is being read
    std::vector<OnPicture> waiting;
    std::weak_ptr<const std::string> picture;
  };

  // Reads what there is room for.
  void Admit();
  void Read(const storage::ResultImage& image);
  Picture Hold(const std::string& blob, std::string bytes, uint64_t charged);
  void Tell(const std::string& blob, const StatusOr<Picture>& picture);
  void Release(const std::string& blob, uint64_t bytes);

  const Parts parts_;
  const uint64_t budget_;
  metrics::Gauge& gauge_;

  Mutex mu_;
  std::map<std::string, Entry> entries_ GUARDED_BY(mu_);  // by name of the blob
  std::deque<std::string> queue_ GUARDED_BY(mu_);         // those that wait for room
  uint64_t used_ GUARDED_BY(mu_) = 0;
};

}  // namespace phasor::gateway
