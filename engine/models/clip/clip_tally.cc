#include "engine/models/clip/clip_tally.h"

namespace phasor::engine {
namespace {

// Takes the layer's result and gives back its input.
void TallyLayer(Tally& tally, const ClipConfig& config, int64_t tokens) {
  const int64_t d = config.hidden_size;
  const int64_t values = d * tokens;
  const int64_t inner = config.intermediate_size * tokens;
  TallyNorm(tally, d, tokens);
  TallySelfAttention(
      tally, {.batch = 1, .queries = tokens, .keys = tokens, .channels = d, .heads = config.heads},
      true);
  tally.Take(values);  // the sum
  TallyNorm(tally, d, tokens);
  TallyLinear(tally, d, config.intermediate_size, tokens);
  tally.Take(inner);
  // Other activations are one kernel; this one has two intermediates, in half precision twice as
  // large.
  const int64_t width = tally.dtype() == at::kHalf ? 2 : 1;
  if (config.activation == Activation::kQuickGelu) tally.Need(2 * width * inner);
  TallyLinear(tally, config.intermediate_size, d, tokens);
  tally.Take(values);  // the sum
  tally.Give(2 * inner);
  tally.Give(6 * values);  // two norms, the attention, two sums' parts, the input
}

}  // namespace

void TallyClip(Tally& tally, const ClipConfig& config, int64_t tokens) {
  const int64_t values = config.hidden_size * tokens;
  tally.Turn(config.vocab_size * config.hidden_size);
  tally.Take(values);
  tally.Turn(config.max_positions * config.hidden_size);
  tally.Take(values);  // the sum
  tally.Give(values);
  for (int64_t i = 0; i < config.layers; ++i) TallyLayer(tally, config, tokens);
  TallyNorm(tally, config.hidden_size, tokens);
  tally.Give(values);
}

}  // namespace phasor::engine
