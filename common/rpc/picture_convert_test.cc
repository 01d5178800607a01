#include "common/rpc/picture_convert.h"

#include <set>
#include <string>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

namespace phasor::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// What a request says beside the picture: the job's own envelope.
const std::set<std::string> kEnvelope = {
    "model",         "priority",      "deadline_ms", "deadline_in_ms",    "idempotency_key",
    "output_format", "preview_every", "strategy",    "allow_degradation", "webhook"};

// A proto field has the type of its parameter, and each has the other.
template <typename Owner>
void ExpectSameNames(const Descriptor* message, const std::set<std::string>& others) {
  std::set<std::string> declared = others;
  for (const auto& parameter : picture::TableOf<Owner>()) {
    const std::string name(parameter.name);
    EXPECT_TRUE(declared.insert(name).second) << name;
    const FieldDescriptor* const field = message->FindFieldByName(name);
    ASSERT_NE(field, nullptr) << name << " is declared, and no field of " << message->name();
    picture::WithValue(parameter, Owner{}, [&](const auto& value) {
      using T = std::decay_t<decltype(value)>;
      FieldDescriptor::CppType wanted = FieldDescriptor::CPPTYPE_MESSAGE;
      if (std::is_same_v<T, std::string>) wanted = FieldDescriptor::CPPTYPE_STRING;
      if (std::is_same_v<T, StoredImage>) wanted = FieldDescriptor::CPPTYPE_STRING;  // bytes
      if (std::is_same_v<T, int>) wanted = FieldDescriptor::CPPTYPE_INT32;
      if (std::is_same_v<T, uint64_t>) wanted = FieldDescriptor::CPPTYPE_INT64;
      if (std::is_same_v<T, double>) wanted = FieldDescriptor::CPPTYPE_DOUBLE;
      EXPECT_EQ(field->cpp_type(), wanted) << name;
    });
  }
  for (int i = 0; i < message->field_count(); ++i) {
    EXPECT_TRUE(declared.contains(message->field(i)->name()))
        << message->field(i)->name() << " of " << message->name() << " is declared nowhere";
  }
}

TEST(PictureConvertTest, EachFieldOfTheRequestIsDeclaredAndTheReverse) {
  ExpectSameNames<PictureSpec>(v1::GenerateRequest::descriptor(), kEnvelope);
  ExpectSameNames<Lora>(v1::Lora::descriptor(), {});
  ExpectSameNames<Control>(v1::Control::descriptor(), {});
  std::set<std::string> limits;
  for (const auto& limit : picture::LimitTable()) limits.insert(std::string(limit.name));
  const Descriptor* const message = v1::ModelLimits::descriptor();
  EXPECT_EQ(static_cast<size_t>(message->field_count()), limits.size());
  for (int i = 0; i < message->field_count(); ++i) {
    EXPECT_TRUE(limits.contains(message->field(i)->name())) << message->field(i)->name();
  }
}

// A default that is not a zero can't be told from one that was sent unless the field has presence.
TEST(PictureConvertTest, EachFieldWhoseDefaultIsNotItsZeroHasPresence) {
  const v1::GenerateRequest zeros;
  for (const auto& parameter : picture::Parameters()) {
    const FieldDescriptor* const field =
        v1::GenerateRequest::descriptor()->FindFieldByName(std::string(parameter.name));
    if (field->is_repeated() || field->has_presence()) continue;
    const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    EXPECT_TRUE(text) << parameter.name << " must be optional";
  }
}

PictureSpec Spec() {
  PictureSpec spec;
  spec.prompt = "a red circle \xc3\xa4";
  spec.width = 136;
  spec.guidance_scale = 0.1 + 0.2;
  spec.seed = 0x7fffffffffffffff;
  spec.clip_skip = 1;
  spec.loras = {{"a", 0.5}, {"b", -1}};
  spec.controls = {{"pose", {"cd34", "blob-2"}, 0.7, 0.1, 0.9}};
  spec.init_image = {"ab12", "blob-1"};
  return spec;
}

TEST(PictureConvertTest, ASpecSurvivesTheWayThereAndBack) {
  const PictureSpec spec = Spec();
  v1::GenerateRequest request;
  Put(spec, &request);
  v1::JobSpec carried;
  for (const auto& [name, image] : ImagesOf(spec)) (*carried.mutable_images())[name] = image;
  EXPECT_EQ(request.init_image(), "") << "pictures never travel as bytes";

  std::vector<FieldViolation> violations;
  PictureSpec back = AskedOf(request, &violations).values();
  TakeImages(carried.images(), &back);
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(back, spec);
}

TEST(PictureConvertTest, OnlyWhatWasSentIsAskedFor) {
  v1::GenerateRequest request;
  request.set_prompt("x");
  request.set_clip_skip(0);
  std::vector<FieldViolation> violations;
  const picture::Asked asked = AskedOf(request, &violations);
  EXPECT_TRUE(asked.Has("prompt"));
  EXPECT_TRUE(asked.Has("clip_skip")) << "a zero that was sent is a value";
  for (const char* name : {"negative_prompt", "width", "seed", "scheduler", "loras"}) {
    EXPECT_FALSE(asked.Has(name)) << name;
  }
  EXPECT_EQ(RequestOf(asked).SerializeAsString(), request.SerializeAsString());
}

TEST(PictureConvertTest, ANegativeSeedIsAViolation) {
  v1::GenerateRequest request;
  request.set_seed(-1);
  std::vector<FieldViolation> violations;
  AskedOf(request, &violations);
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].field, "seed");
  EXPECT_EQ(violations[0].description, "must not be negative, got -1");
}

TEST(PictureConvertTest, BytesOfAPictureCountAsGiven) {
  v1::GenerateRequest request;
  request.set_init_image("\x89PNG");
  request.add_controls()->set_image("\x89PNG");
  std::vector<FieldViolation> violations;
  const picture::Asked asked = AskedOf(request, &violations);
  EXPECT_TRUE(asked.Has("init_image"));
  EXPECT_TRUE(asked.Has("controls"));
  EXPECT_FALSE(asked.Has("mask"));
}

TEST(PictureConvertTest, AModelTellsEachParameterThatItDrawsBy) {
  PictureSpec defaults;
  defaults.steps = 20;
  picture::Limits limits;
  limits.max_steps = 30;
  v1::Model model;
  Put(defaults, limits, &model);
  EXPECT_EQ(model.defaults().steps(), 20);
  EXPECT_EQ(model.limits().max_steps(), 30);
  EXPECT_EQ(model.limits().max_prompt_bytes(), 8192);
  EXPECT_EQ(model.limits().max_guidance_scale(), 50);
  bool found = false;
  for (const v1::Parameter& parameter : model.parameters()) {
    EXPECT_NE(parameter.name(), "loras");
    if (parameter.name() != "steps") continue;
    found = true;
    EXPECT_EQ(parameter.type(), "whole");
    EXPECT_EQ(parameter.default_value(), "20");
    EXPECT_EQ(parameter.low(), 1);
    EXPECT_EQ(parameter.high(), 30);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace phasor::rpc
