#include "services/gateway/flow/request_check.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "common/rpc/status_details.h"
#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;
using Change = std::function<void(v1::GenerateRequest*)>;

StatusOr<job::GenerateSpec> Complete(const v1::GenerateRequest& request) {
  const ModelCatalog catalog({{DemoCard()}});
  return CompleteRequest(request, catalog, [] { return uint64_t{42}; });
}

TEST(RequestCheckTest, AbsentFieldsTakeTheCardsDefaults) {
  v1::GenerateRequest request;
  request.set_prompt("a red circle");
  const auto spec = Complete(request);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->model, "demo");
  EXPECT_EQ(spec->picture.width, 128);
  EXPECT_EQ(spec->picture.height, 96);
  EXPECT_EQ(spec->picture.steps, 20);
  EXPECT_EQ(spec->picture.guidance_scale, 4);
  EXPECT_EQ(spec->picture.scheduler, "dpmpp_2m");
  EXPECT_EQ(spec->picture.images, 1);
  EXPECT_EQ(spec->picture.seed, 42u);
  EXPECT_EQ(spec->priority, job::Priority::kNormal);
  EXPECT_FALSE(spec->allow_degradation);
}

TEST(RequestCheckTest, GivenFieldsStayAlsoWhenTheyAreZero) {
  v1::GenerateRequest request = DemoRequest();
  request.set_guidance_scale(0);
  request.set_seed(0);
  request.set_allow_degradation(true);
  const auto spec = Complete(request);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->picture.guidance_scale, 0);
  EXPECT_EQ(spec->picture.seed, 0u);
  EXPECT_TRUE(spec->allow_degradation);
}

TEST(RequestCheckTest, AWrongFieldIsNamed) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    const char* field;
    Change change;
  };
  const Case cases[] = {
      {"prompt", [](auto* r) { r->set_prompt(std::string(1 << 20, 'x')); }},
      {"prompt", [](auto* r) { r->set_prompt(std::string("a\0b", 3)); }},
      {"negative_prompt", [](auto* r) { r->set_negative_prompt(std::string(1 << 20, 'x')); }},
      {"width", [](auto* r) { r->set_width(7); }},
      {"width", [](auto* r) { r->set_width(-8); }},
      {"height", [](auto* r) { r->set_height(1 << 30); }},
      {"steps", [](auto* r) { r->set_steps(0); }},
      {"steps", [](auto* r) { r->set_steps(100000); }},
      {"images", [](auto* r) { r->set_images(0); }},
      {"images", [](auto* r) { r->set_images(1000000); }},
      {"guidance_scale", [](auto* r) { r->set_guidance_scale(kNan); }},
      {"guidance_scale", [](auto* r) { r->set_guidance_scale(INFINITY); }},
      {"guidance_rescale", [](auto* r) { r->set_guidance_rescale(2); }},
      {"eta", [](auto* r) { r->set_eta(kNan); }},
      {"clip_skip", [](auto* r) { r->set_clip_skip(99); }},
      {"seed", [](auto* r) { r->set_seed(-1); }},
      {"seed",
       [](auto* r) {
         r->set_seed(std::numeric_limits<int64_t>::max());
         r->set_images(2);
       }},
      {"model", [](auto* r) { r->set_model("nope"); }},
      {"model", [](auto* r) { r->set_model("../../etc\n"); }},
      {"scheduler", [](auto* r) { r->set_scheduler("magic"); }},
      {"priority", [](auto* r) { r->set_priority(static_cast<v1::Priority>(99)); }},
      {"output_format", [](auto* r) { r->set_output_format(static_cast<v1::OutputFormat>(7)); }},
      {"strategy", [](auto* r) { r->set_strategy(static_cast<v1::Strategy>(77)); }},
      {"preview_every", [](auto* r) { r->set_preview_every(-1); }},
      {"deadline_ms", [](auto* r) { r->set_deadline_ms(-5); }},
      {"idempotency_key", [](auto* r) { r->set_idempotency_key(std::string(257, 'k')); }},
      {"request", [](auto* r) { r->GetReflection()->MutableUnknownFields(r)->AddVarint(77, 1); }},
  };
  for (const Case& c : cases) {
    v1::GenerateRequest request = DemoRequest();
    c.change(&request);
    const Status status = Complete(request).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.field;
    const auto violations = rpc::FieldViolationsOf(status);
    ASSERT_FALSE(violations.empty()) << c.field;
    EXPECT_EQ(violations[0].field, c.field) << violations[0].description;
    EXPECT_LT(Message(status).size(), 500u);
    EXPECT_THAT(Message(status), Not(HasSubstr("red circle")));
  }
}

TEST(RequestCheckTest, AllWrongFieldsAreNamedAtOnce) {
  v1::GenerateRequest request = DemoRequest();
  request.set_width(7);
  request.set_steps(0);
  request.set_seed(-1);
  request.set_scheduler("magic");
  const auto violations = rpc::FieldViolationsOf(Complete(request).status());
  std::vector<std::string> fields;
  for (const auto& violation : violations) fields.push_back(violation.field);
  for (const char* field : {"width", "steps", "seed", "scheduler"}) {
    EXPECT_THAT(fields, testing::Contains(field));
  }
}

TEST(RequestCheckTest, AnUnknownModelOrSchedulerSaysWhatThereIs) {
  v1::GenerateRequest request = DemoRequest();
  request.set_model("nope");
  EXPECT_THAT(Message(Complete(request).status()),
              HasSubstr("'nope' is not known; there are: demo"));
  request = DemoRequest();
  request.set_scheduler("magic");
  EXPECT_THAT(Message(Complete(request).status()), HasSubstr("ddim"));
}

TEST(RequestCheckTest, WhatIsNotBuiltYetIsUnimplementedAndNamed) {
  const std::pair<const char*, Change> cases[] = {
      {"init_image", [](auto* r) { r->set_init_image("png"); }},
      {"mask", [](auto* r) { r->set_mask("png"); }},
      {"strength", [](auto* r) { r->set_strength(0.5); }},
      {"loras", [](auto* r) { r->add_loras()->set_name("x"); }},
      {"controls", [](auto* r) { r->add_controls()->set_name("x"); }},
      {"webhook", [](auto* r) { r->set_webhook("https://example.org"); }},
      {"output_format", [](auto* r) { r->set_output_format(v1::JPEG); }},
  };
  for (const auto& [field, change] : cases) {
    v1::GenerateRequest request = DemoRequest();
    change(&request);
    const Status status = Complete(request).status();
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << field;
    EXPECT_THAT(Message(status), HasSubstr(field));
  }
  v1::GenerateRequest plain = DemoRequest();
  plain.set_strategy(v1::CPU_OFFLOAD);
  plain.set_output_format(v1::PNG);
  EXPECT_TRUE(Complete(plain).ok());
}

TEST(RequestCheckTest, ADeadlineIsAbsoluteOrRelativeAndBounded) {
  const auto fields = [](int64_t at, int64_t in) {
    v1::GenerateRequest request = DemoRequest();
    request.set_deadline_ms(at);
    request.set_deadline_in_ms(in);
    const ModelCatalog catalog({{DemoCard()}});
    const auto spec = CompleteRequest(request, catalog, [] { return 7; });
    const auto violations = rpc::FieldViolationsOf(spec.status());
    return violations.empty() ? "" : violations[0].field;
  };
  EXPECT_EQ(fields(0, 0), "");
  EXPECT_EQ(fields(5, 0), "");
  EXPECT_EQ(fields(0, int64_t{366} * 24 * 3600 * 1000), "");
  EXPECT_EQ(fields(0, int64_t{366} * 24 * 3600 * 1000 + 1), "deadline_in_ms");
  EXPECT_EQ(fields(0, -1), "deadline_in_ms");
  EXPECT_EQ(fields(5, 5), "deadline_in_ms");
  EXPECT_EQ(fields(-1, 0), "deadline_ms");
}

TEST(RequestFingerprintTest, TellsBodiesApartButNotKeys) {
  v1::GenerateRequest request = DemoRequest();
  const std::string fingerprint = RequestFingerprint(request);
  request.set_idempotency_key("a");
  EXPECT_EQ(RequestFingerprint(request), fingerprint);
  request.set_deadline_ms(5);
  EXPECT_EQ(RequestFingerprint(request), fingerprint);
  request.set_deadline_in_ms(5);
  EXPECT_EQ(RequestFingerprint(request), fingerprint);
  request.set_seed(0);  // absent and zero are different wishes
  EXPECT_NE(RequestFingerprint(request), fingerprint);
}

}  // namespace
}  // namespace phasor::gateway
