#include "engine/random/noise_stream.h"

#include <vector>

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

constexpr double kTolerance = 6e-5;  // the values below have four decimals

void ExpectBegins(const at::Tensor& drawn, const std::vector<double>& expected) {
  const at::Tensor flat = drawn.flatten();
  ASSERT_GE(flat.numel(), static_cast<int64_t>(expected.size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(flat[static_cast<int64_t>(i)].item<double>(), expected[i], kTolerance) << i;
  }
}

// Values of torch 2.11 on the CPU.
TEST(NoiseStreamTest, GivesTheReferencesValues) {
  struct Case {
    uint64_t seed;
    std::vector<int64_t> shape;
    std::vector<double> expected;
  };
  const std::vector<Case> cases = {
      {0, {4}, {1.5410, -0.2934, -2.1788, 0.5684}},
      {0,
       {16},
       {-1.1258, -1.1524, -.2506, -.4339, .8487, .6920, -.3160, -2.1152, .3223, -1.2633, .3500,
        .3081, .1198, 1.2377, 1.1168, -.2473}},
      {0, {20}, {-1.1258, -1.1524, -.2506, -.4339, .5988, -1.5551, -.3414, 1.8530, .4681,  -.1577,
                 1.4437,  .2660,   1.3894, 1.5863, .9463, -.8437,  .9318,  1.2590, 2.0050, .0537}},
      {42, {16}, {1.9269, 1.4873, .9007, -2.1055, .6784, -1.2345, -.0431, -1.6047}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.seed);
    ExpectBegins(NoiseStream(c.seed).Draw(c.shape, at::kFloat), c.expected);
  }
}

TEST(NoiseStreamTest, GivesTheReferencesLatents) {
  const at::Tensor latents = NoiseStream(0).Draw({1, 4, 8, 8}, at::kFloat);
  EXPECT_NEAR(latents.sum().item<double>(), 6.5901, 2e-4);
  ExpectBegins(latents.flatten().slice(0, 252), {-.870744, .144743, 1.902856, .390396});
}

// The very bits where LibTorch takes its form for AVX2, elsewhere a little off.
TEST(NoiseStreamTest, GivesWhatLibTorchGives) {
  constexpr double kUlps = 64 * 1.2e-7;  // of a value near 1
  for (const int64_t count : {16, 17, 31, 32, 33, 1000, 65536}) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      const at::Tensor theirs =
          at::randn({count}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
      const at::Tensor ours = NoiseStream(seed).Draw({count}, at::kFloat);
      EXPECT_LE(at::abs(at::sub(ours, theirs)).max().item<double>(), kUlps) << count << " " << seed;
    }
  }
}

TEST(NoiseStreamTest, GoesOnFromASavedStateWithTheSameBytes) {
  // Below 16 values the generator caches every second one; odd counts leave it in the cache.
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{1, 4, 5, 5}, {1, 1, 3, 3}, {1, 4, 16, 16}, {3}}) {
    for (at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
      NoiseStream straight(7);
      for (int draws = 0; draws < 4; ++draws) {
        const at::Tensor state = straight.State();
        NoiseStream resumed(99);
        ASSERT_TRUE(resumed.SetState(state).ok());
        const at::Tensor expected = straight.Draw(shape, dtype);
        EXPECT_TRUE(resumed.Draw(shape, dtype).equal(expected));
        EXPECT_TRUE(resumed.State().equal(straight.State()));
      }
    }
  }
}

TEST(NoiseStreamTest, ASavedStateIsACopy) {
  NoiseStream stream(1);
  const at::Tensor state = stream.State();
  const at::Tensor before = state.clone();
  stream.Draw({64}, at::kFloat);
  EXPECT_TRUE(state.equal(before));
}

TEST(NoiseStreamTest, RefusesForeignStatesAndKeepsItsOwn) {
  NoiseStream stream(5);
  const at::Tensor own = stream.State();
  const at::Tensor garbage = at::full_like(own, 255);
  EXPECT_EQ(stream.SetState(at::Tensor()).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(stream.SetState(own.slice(0, 1)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(stream.SetState(own.to(at::kInt)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(stream.SetState(garbage).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(stream.State().equal(own));
}

TEST(DrawRowsTest, GivesEachImageTheNoiseItHasAlone) {
  std::vector<NoiseStream> together;
  for (uint64_t seed : {3, 4, 5}) together.emplace_back(seed);
  const at::Tensor batch = DrawRows(together, {3, 4, 5, 7}, at::kFloat);
  NoiseStream alone(4);
  EXPECT_TRUE(batch.slice(0, 1, 2).equal(alone.Draw({1, 4, 5, 7}, at::kFloat)));
  EXPECT_TRUE(together[1].State().equal(alone.State()));
}

TEST(DrawRowsTest, ThrowsUnlessThereIsAStreamForEveryRow) {
  std::vector<NoiseStream> streams;
  streams.emplace_back(0);
  EXPECT_THROW(DrawRows(streams, {2, 4}, at::kFloat), c10::Error);
}

}  // namespace
}  // namespace phasor::engine
