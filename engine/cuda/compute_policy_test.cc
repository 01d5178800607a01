#include "engine/cuda/compute_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace phasor::engine {
namespace {

using enum AttentionKernel;
using ::testing::HasSubstr;

Gpu Card(int major) { return {.name = "Card", .bus_id = {}, .major = major, .minor = 5}; }

ComputeOptions Wanted(const char* tf32, const char* attention, const char* channels_last) {
  return {
      .tf32 = tf32, .attention = attention, .channels_last = channels_last, .library_memory = ""};
}

TEST(ComputePolicyTest, LeftAloneNothingIsRoundedShorterAndNothingIsToldInFingerprints) {
  const Gpu card = Card(9);
  for (const Gpu* device : {static_cast<const Gpu*>(nullptr), &card}) {
    for (const ComputeOptions& wanted : {ComputeOptions(), Wanted("auto", "auto", "auto")}) {
      const Compute compute = ChooseCompute(wanted, device, "fp32").value();
      EXPECT_FALSE(compute.tf32);
      EXPECT_TRUE(compute.channels_last);
      EXPECT_EQ(Describe(compute), "");
    }
    const Compute said = ChooseCompute(Wanted("off", "auto", "on"), device, "fp32").value();
    EXPECT_EQ(Describe(said), "") << "what auto comes to, said aloud";
  }
}

TEST(ComputePolicyTest, WhatChangesBytesIsToldInFingerprints) {
  const Gpu card = Card(8);
  const struct {
    ComputeOptions wanted;
    const char* text;
  } cases[] = {{Wanted("on", "", ""), "tf32"},
               {Wanted("", "math", ""), "attention math"},
               {Wanted("", "flash", ""), "attention flash"},
               {Wanted("", "", "off"), "channels first"},
               {Wanted("on", "cudnn", "off"), "tf32, attention cudnn, channels first"}};
  for (const auto& [wanted, text] : cases) {
    EXPECT_EQ(Describe(ChooseCompute(wanted, &card, "fp16").value()), text);
  }
}

TEST(ComputePolicyTest, WhatADeviceHasNothingForIsRefusedByName) {
  const Gpu turing = Card(7), ampere = Card(8);
  const struct {
    ComputeOptions wanted;
    const Gpu* card;
    const char* dtype;
    const char* refusal;  // empty: it is taken
  } cases[] = {
      {Wanted("on", "", ""), nullptr, "fp32", "tf32: on is for cards"},
      {Wanted("on", "", ""), &turing, "fp32", "tf32: on needs a card of compute capability 8.0"},
      {Wanted("on", "", ""), &ampere, "fp32", ""},
      {Wanted("", "flash", ""), nullptr, "fp32", ""},
      {Wanted("", "math", ""), nullptr, "bf16", ""},
      {Wanted("", "efficient", ""), nullptr, "fp32", "attention: efficient is for cards"},
      {Wanted("", "cudnn", ""), nullptr, "fp32", "attention: cudnn is for cards"},
      {Wanted("", "flash", ""), &turing, "fp16", "attention: flash needs a card"},
      {Wanted("", "efficient", ""), &turing, "fp32", ""},
      {Wanted("", "math", ""), &turing, "fp32", ""},
      {Wanted("", "flash", ""), &ampere, "fp32", "attention: flash computes in fp16 and bf16"},
      {Wanted("", "cudnn", ""), &ampere, "fp32", "attention: cudnn computes in fp16 and bf16"},
      {Wanted("", "cudnn", ""), &ampere, "bf16", ""},
      {Wanted("", "", "off"), nullptr, "fp32", "channels_last: off is for cards"},
      {Wanted("", "", "off"), &turing, "fp32", ""},
      {Wanted("yes", "", ""), &ampere, "fp32", "tf32: must be one of auto, on, off"},
  };
  for (const auto& [wanted, card, dtype, refusal] : cases) {
    const StatusOr<Compute> compute = ChooseCompute(wanted, card, dtype);
    EXPECT_EQ(compute.ok(), std::string(refusal).empty()) << compute.status();
    EXPECT_THAT(Message(compute.status()), HasSubstr(refusal));
  }
}

TEST(ComputePolicyTest, WhatIsAskedForGoesFirstAndHeadsThatItDoesNotTakeFindAnother) {
  const Gpu card = Card(9);
  const struct {
    const char* word;
    AttentionKernel first;
    std::vector<AttentionKernel> not_allowed;
  } cases[] = {{"auto", kFlash, {}},
               {"flash", kFlash, {kCudnn}},
               {"efficient", kEfficient, {kFlash, kCudnn}},
               {"math", kMath, {kFlash, kEfficient, kCudnn}},
               {"cudnn", kCudnn, {}}};
  for (const auto& [word, first, not_allowed] : cases) {
    const AttentionOrder order =
        ChooseCompute(Wanted("", word, ""), &card, "fp16").value().attention;
    EXPECT_EQ(order.order.front(), first) << word;
    EXPECT_TRUE(order.Allows(kMath)) << word << ": it alone takes every call";
    for (const AttentionKernel kernel : {kFlash, kEfficient, kMath, kCudnn}) {
      const bool refused =
          std::find(not_allowed.begin(), not_allowed.end(), kernel) != not_allowed.end();
      EXPECT_NE(order.Allows(kernel), refused) << word;
    }
  }
}

}  // namespace
}  // namespace phasor::engine
