#include "common/storage/read_each.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace phasor::storage {

std::vector<StatusOr<TerminalRecord>> ReadEach(
    const std::vector<job::JobId>& ids, size_t threads,
    const std::function<StatusOr<TerminalRecord>(const job::JobId&)>& read) {
  std::vector<StatusOr<TerminalRecord>> answers(ids.size(), Unavailable("not asked"));
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < ids.size(); i = next++) answers[i] = read(ids[i]);
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(threads, ids.size()); ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return answers;
}

}  // namespace phasor::storage
