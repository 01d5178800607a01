#include "common/picture/asked.h"

#include <string>

#include <gtest/gtest.h>

namespace phasor::picture {
namespace {

uint64_t Seven() { return 7; }

TEST(AskedTest, WhatIsNotGivenIsTheCardsTheDrawnOrTheFixed) {
  PictureSpec card;
  card.width = 128;
  card.steps = 20;
  card.scheduler = "ddim";
  card.eta = 0.5;  // of no card
  Asked asked;
  ASSERT_TRUE(asked.Read("steps", "3").ok());
  const PictureSpec spec = Complete(asked, card, Seven);
  EXPECT_EQ(spec.width, 128);
  EXPECT_EQ(spec.steps, 3);
  EXPECT_EQ(spec.scheduler, "ddim");
  EXPECT_EQ(spec.seed, 7u);
  EXPECT_EQ(spec.eta, 0);
  EXPECT_EQ(spec.images, 1);
}

TEST(AskedTest, AGivenValueStandsEvenIfItIsEmptyOrTheDefault) {
  PictureSpec card;
  card.scheduler = "ddim";
  card.guidance_scale = 4;
  Asked asked;
  ASSERT_TRUE(asked.Read("scheduler", "").ok());
  ASSERT_TRUE(asked.Read("guidance_scale", "7.5").ok());
  ASSERT_TRUE(asked.Read("seed", "0").ok());
  const PictureSpec spec = Complete(asked, card, Seven);
  EXPECT_EQ(spec.scheduler, "");
  EXPECT_EQ(spec.guidance_scale, 7.5);
  EXPECT_EQ(spec.seed, 0u);
}

TEST(AskedTest, ReadsTextStrictly) {
  Asked asked;
  struct Case {
    const char* name;
    const char* text;
    StatusCode code;
  };
  for (const Case& c : {
           Case{"seed", "18446744073709551615", StatusCode::kOk},
           Case{"seed", "18446744073709551616", StatusCode::kInvalidArgument},
           Case{"seed", "-1", StatusCode::kInvalidArgument},
           Case{"steps", "010", StatusCode::kOk},
           Case{"steps", "2147483648", StatusCode::kInvalidArgument},
           Case{"steps", "2.5", StatusCode::kInvalidArgument},
           Case{"eta", "nan", StatusCode::kInvalidArgument},
           Case{"eta", "1e-3", StatusCode::kOk},
           Case{"prompt", "[a, b]", StatusCode::kOk},
           Case{"init_image", "x", StatusCode::kFailedPrecondition},
           Case{"loras", "x", StatusCode::kFailedPrecondition},
           Case{"stepz", "1", StatusCode::kInvalidArgument},
       }) {
    EXPECT_EQ(asked.Read(c.name, c.text).code(), c.code) << c.name << " " << c.text;
  }
  EXPECT_EQ(asked.values().steps, 10);
  EXPECT_EQ(asked.values().prompt, "[a, b]");
  EXPECT_FALSE(asked.Has("loras"));
}

TEST(AskedTest, LaterWordsGoBeforeEarlierOnes) {
  Asked first, second;
  ASSERT_TRUE(first.Read("steps", "3").ok());
  ASSERT_TRUE(first.Read("width", "64").ok());
  ASSERT_TRUE(second.Read("steps", "4").ok());
  first.Override(second);
  EXPECT_EQ(first.values().steps, 4);
  EXPECT_EQ(first.values().width, 64);
}

TEST(AskedTest, WhatNothingDrawsYetIsRefusedByName) {
  Asked asked;
  EXPECT_TRUE(CheckAvailable(asked).ok());
  asked.Take(*FindParameter("strength"), PictureSpec{});
  const Status status = CheckAvailable(asked);
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(Message(status), "strength is not implemented yet");
}

}  // namespace
}  // namespace phasor::picture
