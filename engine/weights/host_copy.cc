#include "engine/weights/host_copy.h"

#include <sys/mman.h>
#include <unistd.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

namespace phasor::engine {

at::Tensor RoomFor(const at::Tensor& host, at::Device place) {
  if (!place.is_cpu()) return at::empty_like(host, host.options().device(place));
  constexpr int64_t kAlignment = 64;
  const int64_t bytes = static_cast<int64_t>(host.nbytes());
  const auto offset =
      static_cast<int64_t>(reinterpret_cast<uintptr_t>(host.const_data_ptr()) % kAlignment);
  const at::Tensor room = at::empty({bytes + offset}, at::kByte);
  return room.slice(0, offset).view(host.scalar_type()).view(host.sizes());
}

void LeavePages(const at::Tensor& mapped) {
  static const auto kPage = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(mapped.const_data_ptr());
  const uintptr_t begin = (address + kPage - 1) / kPage * kPage;
  const uintptr_t end = (address + mapped.nbytes()) / kPage * kPage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace phasor::engine
