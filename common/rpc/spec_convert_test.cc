#include "common/rpc/spec_convert.h"

#include <functional>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "common/rpc/spec_pack.h"
#include "phasor/v1/job_spec.pb.h"

namespace phasor::rpc {
namespace {

job::GenerateSpec Spec() {
  job::GenerateSpec spec;
  spec.model = "phasor-demo";
  spec.picture.prompt = "a red circle \xc3\xa4";
  spec.picture.negative_prompt = "blurry";
  spec.picture.width = 136;
  spec.picture.height = 104;
  spec.picture.steps = 20;
  spec.picture.guidance_scale = 4.5;
  spec.picture.guidance_rescale = 0.25;
  spec.picture.eta = 0.5;
  spec.picture.clip_skip = 1;
  spec.picture.seed = 0x7fffffffffffffff;
  spec.picture.images = 3;
  spec.picture.scheduler = "dpmpp_2m_karras";
  spec.preview_every = 5;
  spec.priority = job::Priority::kHigh;
  spec.deadline_ms = 1'700'000'000'000;
  spec.allow_degradation = true;
  return spec;
}

TEST(SpecConvertTest, ARequestIsEncodedAsItsSpecAndStaysAsItWas) {
  v1::GenerateRequest request = ToProto(Spec());
  EXPECT_EQ(
      EncodeJobSpec(&request, {.spec = {}, .trace_parent = "00-trace-01", .fingerprint = "ab12"}),
      EncodeJobSpec({Spec(), "00-trace-01", "ab12"}));
  EXPECT_EQ(request.SerializeAsString(), ToProto(Spec()).SerializeAsString());
}

TEST(SpecConvertTest, ASpecSurvivesTheQueue) {
  const job::GenerateSpec spec = Spec();
  const std::string bytes = EncodeJobSpec({spec, "00-trace-01", "ab12"});
  const auto decoded = DecodeJobSpec(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->trace_parent, "00-trace-01");
  EXPECT_EQ(decoded->fingerprint, "ab12");
  EXPECT_EQ(FingerprintOf(bytes), "ab12");
  EXPECT_EQ(FingerprintOf("\xff garbage"), "");
  const job::GenerateSpec& got = decoded->spec;
  EXPECT_EQ(got.model, spec.model);
  EXPECT_EQ(got.picture, spec.picture);
  EXPECT_EQ(got.preview_every, spec.preview_every);
  EXPECT_EQ(got.priority, spec.priority);
  EXPECT_EQ(got.deadline_ms, spec.deadline_ms);
  EXPECT_EQ(got.allow_degradation, spec.allow_degradation);
}

TEST(SpecConvertTest, AnIncompleteSpecIsRefused) {
  const auto refused = [](const std::function<void(v1::GenerateRequest*)>& spoil) {
    v1::JobSpec spec;
    *spec.mutable_request() = ToProto(Spec());
    spoil(spec.mutable_request());
    return DecodeJobSpec(PackSpec(spec.SerializeAsString())).status();
  };
  EXPECT_TRUE(refused([](auto*) {}).ok());
  for (const Status& status : {
           refused([](auto* request) { request->clear_seed(); }),
           refused([](auto* request) { request->set_seed(-1); }),
           refused([](auto* request) { request->set_priority(static_cast<v1::Priority>(9)); }),
       }) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  }
}

TEST(SpecConvertTest, WhatAGatewayOfAnotherVersionDidNotSendIsAtItsFixedDefault) {
  v1::JobSpec spec;
  *spec.mutable_request() = ToProto(Spec());
  spec.mutable_request()->clear_guidance_rescale();
  spec.mutable_request()->clear_images();
  const auto decoded = DecodeJobSpec(PackSpec(spec.SerializeAsString()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->spec.picture.guidance_rescale, 0);
  EXPECT_EQ(decoded->spec.picture.images, 1);
}

TEST(SpecConvertTest, DamagedBytesGiveAnErrorOrASpecButNeverACrash) {
  const std::string good = EncodeJobSpec({Spec(), ""});
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(DecodeJobSpec(good.substr(0, length)).ok()) << length;
  }
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    for (int k = 0; k < 4; ++k) bad[random() % bad.size()] = static_cast<char>(random());
    refused += DecodeJobSpec(bad).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
  EXPECT_FALSE(DecodeJobSpec(std::string((4 << 20) + 1, 'x')).ok());
}

TEST(SpecConvertTest, PrioritiesMapBothWays) {
  for (const job::Priority priority : job::kPriorities) {
    EXPECT_EQ(*FromProto(ToProto(priority)), priority);
  }
  EXPECT_EQ(*FromProto(v1::PRIORITY_UNSPECIFIED), job::Priority::kNormal);
  EXPECT_FALSE(FromProto(static_cast<v1::Priority>(99)).ok());
  EXPECT_FALSE(FromProto(static_cast<v1::Priority>(-1)).ok());
}

TEST(SpecConvertTest, AClientSeesThePhaseOfALeasedJob) {
  using job::Phase;
  using job::State;
  struct Case {
    State state;
    Phase phase;
    v1::JobState shown;
  };
  const Case cases[] = {
      {State::kQueued, Phase::kNone, v1::QUEUED},
      {State::kQueued, Phase::kDenoising, v1::QUEUED},
      {State::kWaiting, Phase::kNone, v1::RETRY_PENDING},
      {State::kSealing, Phase::kNone, v1::RETRY_PENDING},
      {State::kLeased, Phase::kNone, v1::INITIALIZING},
      {State::kLeased, Phase::kEncoding, v1::ENCODING_PROMPT},
      {State::kLeased, Phase::kDenoising, v1::DIFFUSION_RUNNING},
      {State::kLeased, Phase::kDecoding, v1::DECODING},
      {State::kLeased, Phase::kPublishing, v1::DECODING},
      {State::kDone, Phase::kNone, v1::DONE},
      {State::kDead, Phase::kNone, v1::FAILED},
      {State::kCanceled, Phase::kNone, v1::CANCELED},
      {State::kExpired, Phase::kNone, v1::EXPIRED},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ToProto(c.state, c.phase), c.shown);
    EXPECT_EQ(IsTerminal(c.shown), job::IsTerminal(c.state));
  }
}

}  // namespace
}  // namespace phasor::rpc
