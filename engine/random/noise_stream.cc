#include "engine/random/noise_stream.h"

#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include <ATen/core/DistributionsHelper.h>
#include <c10/util/accumulate.h>

#include "engine/random/box_muller.h"

namespace phasor::engine {

namespace {

// at::randn's values for 16 and more (ATen/native/cpu/DistributionTemplates.h, normal_fill).
void FillNormal(float* data, int64_t count, at::Generator& source) {
  auto* const generator = at::check_generator<at::CPUGeneratorImpl>(source);
  const std::lock_guard<std::mutex> lock(generator->mutex_);
  at::uniform_real_distribution<float> uniform(0, 1);
  for (int64_t i = 0; i < count; ++i) data[i] = uniform(generator);
  for (int64_t i = 0; i + kNormalGroup <= count; i += kNormalGroup) BoxMuller(data + i);
  if (count % kNormalGroup == 0) return;
  float* const last = data + count - kNormalGroup;  // the last 16 are drawn anew
  for (int64_t i = 0; i < kNormalGroup; ++i) last[i] = uniform(generator);
  BoxMuller(last);
}

}  // namespace

NoiseStream::NoiseStream(uint64_t seed)
    : generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

at::Tensor NoiseStream::Draw(at::IntArrayRef shape, at::ScalarType dtype) {
  if (dtype == at::kFloat && c10::multiply_integers(shape) >= kNormalGroup) {
    at::Tensor noise = at::empty(shape, at::kFloat);
    FillNormal(noise.data_ptr<float>(), noise.numel(), generator_);
    return noise;
  }
  return at::randn(shape, generator_, at::TensorOptions().dtype(dtype));
}

at::Tensor NoiseStream::State() const { return generator_.get_state(); }

Status NoiseStream::SetState(const at::Tensor& state) {
  const at::Tensor own = generator_.get_state();
  if (!state.defined() || state.scalar_type() != own.scalar_type() ||
      state.sizes() != own.sizes() || !state.device().is_cpu()) {
    return InvalidArgument("noise state: must be " + std::to_string(own.numel()) +
                           " bytes of a CPU generator's state");
  }
  // LibTorch checks the fields and throws; a fresh generator keeps this one unharmed.
  at::Generator restored = at::make_generator<at::CPUGeneratorImpl>();
  try {
    restored.set_state(state.contiguous());
  } catch (const std::exception& error) {
    return InvalidArgument(std::string("noise state: ") + error.what());
  }
  generator_ = restored;
  return OkStatus();
}

at::Tensor DrawRows(std::span<NoiseStream> streams, at::IntArrayRef shape, at::ScalarType dtype) {
  TORCH_CHECK(!shape.empty() && shape[0] == static_cast<int64_t>(streams.size()), "noise of shape ",
              shape, " from ", streams.size(), " streams");
  std::vector<int64_t> row(shape.begin(), shape.end());
  row[0] = 1;
  std::vector<at::Tensor> rows;
  for (NoiseStream& stream : streams) rows.push_back(stream.Draw(row, dtype));
  return rows.size() == 1 ? rows.front() : at::cat(rows);
}

}  // namespace phasor::engine
