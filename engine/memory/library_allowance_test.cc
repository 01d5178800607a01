#include "engine/memory/library_allowance.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(LibraryAllowanceTest, IsWhatTheLibrariesAreTold) {
  const struct {
    const char* cublas;
    const char* cudnn;
    uint64_t products;
    uint64_t convolutions;
  } cases[] = {
      {kCublasWorkspace, kCudnnWorkspace, 64 * kMiB, 256 * kMiB},
      {":16:8", "0", 2 * 128 * 1024, 0},
      {":4096:2:16:8", "1024", 2 * (8 * kMiB + 128 * 1024), 1024 * kMiB},
      {":0:0", "64", 0, 64 * kMiB},
      // What can't be read.
      {"", "", 64 * kMiB, 256 * kMiB},
      {"4096:8", "-1", 64 * kMiB, 256 * kMiB},
      {":4096", "much", 64 * kMiB, 256 * kMiB},
      {":4096:8:16", "1e9", 64 * kMiB, 256 * kMiB},
      {":99999999:99999999", "99999999", 64 * kMiB, 256 * kMiB},
  };
  for (const auto& [cublas, cudnn, products, convolutions] : cases) {
    const LibraryAllowance allowance = AllowanceOf(cublas, cudnn);
    EXPECT_EQ(allowance.products, products) << cublas;
    EXPECT_EQ(allowance.convolutions, convolutions) << cudnn;
  }
}

TEST(LibraryAllowanceTest, TheTextEncoderHasNoConvolutions) {
  const LibraryAllowance allowance{.products = 1, .convolutions = 2};
  EXPECT_EQ(allowance.Of(UnitKind::kEncode), 1u);
  EXPECT_EQ(allowance.Of(UnitKind::kStep), 3u);
  EXPECT_EQ(allowance.Of(UnitKind::kDecode), 3u);
  EXPECT_EQ(LibraryAllowance().Of(UnitKind::kStep), 0u);
}

}  // namespace
}  // namespace phasor::engine
