// The schedulers' bits do not depend on the processor: this program runs itself again with other
// kernels chosen for the libraries, and every table, latent and draw of noise stays the same.
#include <unistd.h>

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "engine/schedulers/golden_cases.h"

namespace phasor::engine {
namespace {

constexpr char kChild[] = "SchedulersProcessorTest.DISABLED_PrintsTheDigest";
constexpr char kMark[] = "digest of all schedules: ";

std::string DigestOfAll() {
  std::string digests;
  const auto add = [&](const at::Tensor& tensor) {
    const at::Tensor plain = tensor.contiguous();
    digests += Sha256Hex({static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()});
  };
  for (const std::string& name : ScheduleNames()) {
    const GoldenSchedule golden = LoadSchedule(name);
    const std::unique_ptr<Scheduler> scheduler = MakeGolden(golden);
    for (const double t : scheduler->timesteps()) add(at::scalar_tensor(t, at::kDouble));
    for (const at::Tensor& latents : RunGolden(golden, *scheduler)) add(latents);
  }
  add(NoiseStream(7).Draw({1, 4, 16, 17}, at::kFloat));
  return Sha256Hex(digests);
}

TEST(SchedulersProcessorTest, DISABLED_PrintsTheDigest) {
  std::cout << kMark << DigestOfAll() << std::endl;
}

// What the child printed after the mark; empty if it failed.
std::string DigestWith(const std::string& setting) {
  std::array<char, 4096> path{};
  if (::readlink("/proc/self/exe", path.data(), path.size() - 1) <= 0) return "";
  const std::string command = setting + " '" + path.data() + "' --gtest_filter=" + kChild +
                              " --gtest_also_run_disabled_tests 2>&1";
  FILE* const child = ::popen(command.c_str(), "r");
  if (child == nullptr) return "";
  std::string output;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), child) != nullptr) output += buffer.data();
  if (::pclose(child) != 0) return "";
  const size_t at = output.find(kMark);
  return at == std::string::npos ? "" : output.substr(at + sizeof(kMark) - 1, 64);
}

TEST(SchedulersProcessorTest, GivesTheSameBitsWhateverKernelsTheLibrariesChoose) {
  const std::string own = DigestOfAll();
  for (const char* setting : {"ATEN_CPU_CAPABILITY=default", "ATEN_CPU_CAPABILITY=avx2",
                              "MKL_ENABLE_INSTRUCTIONS=AVX2", "MKL_ENABLE_INSTRUCTIONS=SSE4_2",
                              "MKL_CBWR=COMPATIBLE", "OMP_NUM_THREADS=1", "OMP_NUM_THREADS=4"}) {
    EXPECT_EQ(DigestWith(setting), own) << setting;
  }
}

}  // namespace
}  // namespace phasor::engine
