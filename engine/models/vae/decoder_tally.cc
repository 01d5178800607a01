#include "engine/models/vae/decoder_tally.h"

#include <vector>

namespace phasor::engine {
namespace {

// Takes the attention's result and gives back its input.
void TallyMidAttention(Tally& tally, int64_t channels, int64_t pixels) {
  const int64_t values = channels * pixels;
  TallyNorm(tally, channels, pixels);
  TallySelfAttention(tally, {.batch = 1, .queries = pixels, .keys = pixels, .channels = channels},
                     true);
  tally.Take(values);      // the sum
  tally.Give(3 * values);  // the norm, what was added, the input
}

}  // namespace

void TallyDecoder(Tally& tally, const VaeConfig& config, int64_t height, int64_t width) {
  const std::vector<int64_t> levels(config.block_out_channels.rbegin(),
                                    config.block_out_channels.rend());
  int64_t pixels = height * width;
  int64_t c = levels.front();
  const int64_t latents = config.latent_channels * pixels;
  if (config.use_post_quant_conv) {
    const int64_t z = config.latent_channels;
    TallyConvolution(tally, {.in = z, .out = z, .kernel = 1}, pixels);
  }
  TallyConvolution(tally, {.in = config.latent_channels, .out = c}, pixels);
  TallyResnet(tally, {.in = c, .out = c}, pixels, /*given=*/false);
  if (config.mid_block_add_attention) TallyMidAttention(tally, c, pixels);
  TallyResnet(tally, {.in = c, .out = c}, pixels, /*given=*/true);
  tally.Give(c * pixels);  // the convolution's result
  for (size_t level = 0; level < levels.size(); ++level) {
    for (int64_t i = 0; i < config.layers_per_block + 1; ++i) {
      TallyResnet(tally, {.in = c, .out = levels[level]}, pixels, /*given=*/true);
      c = levels[level];
    }
    if (level + 1 < levels.size()) {
      TallyUpsample(tally, c, pixels, 4 * pixels);
      pixels *= 4;
    }
  }
  TallyConsumingNorm(tally, c, pixels);
  TallyConvolution(tally, {.in = c, .out = config.out_channels}, pixels);
  tally.Give(c * pixels);
  if (config.use_post_quant_conv) tally.Give(latents);
}

}  // namespace phasor::engine
