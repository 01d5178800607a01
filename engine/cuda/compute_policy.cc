#include "engine/cuda/compute_policy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/cuda/gpu_policy.h"

namespace phasor::engine {
namespace {

using enum AttentionKernel;

// From this compute capability on cards have TF32, and flash and cuDNN attention (LibTorch's
// sdp_utils.cpp).
constexpr int kAmpere = 8;

struct NamedOrder {
  std::string_view word;
  AttentionOrder order;
};

// Behind what is asked for come the others that keep no matrix of scores: a decoder's only head is
// too wide for flash and cuDNN. "auto" is LibTorch's own order.
constexpr NamedOrder kOrders[] = {
    {"auto", {{kFlash, kEfficient, kMath, kCudnn}, 4}},
    {"flash", {{kFlash, kEfficient, kMath, kCudnn}, 3}},
    {"efficient", {{kEfficient, kMath, kFlash, kCudnn}, 2}},
    {"math", {{kMath, kFlash, kEfficient, kCudnn}, 1}},
    {"cudnn", {{kCudnn, kFlash, kEfficient, kMath}, 4}},
};

Status NeedsCard(std::string_view key, std::string_view word) {
  return InvalidArgument(absl::StrCat(std::string(key), ": ", std::string(word),
                                      " is for cards, and this device is none"));
}

Status CheckAmpere(std::string_view key, std::string_view word, const Gpu& card) {
  if (card.major >= kAmpere) return OkStatus();
  return InvalidArgument(absl::StrCat(std::string(key), ": ", std::string(word),
                                      " needs a card of compute capability ", kAmpere,
                                      ".0 or more; ", card.name, " has ", CapabilityText(card)));
}

Status CheckAttention(std::string_view word, const Gpu* card, std::string_view dtype) {
  if (word == "auto" || word == "math") return OkStatus();
  // On the processor LibTorch has flash and math.
  if (card == nullptr) return word == "flash" ? OkStatus() : NeedsCard("attention", word);
  if (word == "efficient") return OkStatus();
  RETURN_IF_ERROR(CheckAmpere("attention", word, *card));
  if (dtype != "fp32") return OkStatus();
  return InvalidArgument(absl::StrCat("attention: ", std::string(word),
                                      " computes in fp16 and bf16 on cards, not in fp32"));
}

}  // namespace

bool AttentionOrder::Allows(AttentionKernel kernel) const {
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(allowed);
  return std::find(order.begin(), end, kernel) != end;
}

StatusOr<Compute> ChooseCompute(const ComputeOptions& wanted, const Gpu* card,
                                std::string_view dtype) {
  RETURN_IF_ERROR(CheckCompute(wanted));
  Compute compute;
  compute.tf32 = wanted.tf32 == "on";
  if (compute.tf32) {
    if (card == nullptr) return NeedsCard("tf32", "on");
    RETURN_IF_ERROR(CheckAmpere("tf32", "on", *card));
  }
  compute.channels_last = wanted.channels_last != "off";
  if (!compute.channels_last && card == nullptr) return NeedsCard("channels_last", "off");
  const std::string word = WordOf(wanted, &ComputeOptions::attention);
  RETURN_IF_ERROR(CheckAttention(word, card, dtype));
  for (const NamedOrder& one : kOrders) {
    if (one.word == word) compute.attention = one.order;
  }
  return compute;
}

std::string Describe(const Compute& compute) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", part);
  };
  if (compute.tf32) add("tf32");
  for (const NamedOrder& one : kOrders) {
    if (one.order == compute.attention && one.word != "auto") {
      add(absl::StrCat("attention ", std::string(one.word)));
    }
  }
  if (!compute.channels_last) add("channels first");
  return text;
}

}  // namespace phasor::engine
