#include "common/picture/json.h"

#include <string>

#include <gtest/gtest.h>

namespace phasor::picture {
namespace {

// Every parameter away from its default.
PictureSpec Everything() {
  PictureSpec spec;
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    WithValue(parameter, spec, [](auto& value) {
      using T = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<T, std::string>) value = "\xc3\xa4 \"x\"\n";
      if constexpr (std::is_arithmetic_v<T>) value += 3;
      if constexpr (std::is_same_v<T, StoredImage>) value = {"ab12", "blob-1"};
      if constexpr (std::is_same_v<T, std::vector<Lora>>) value = {{"a", 0.5}, {"b", -1}};
      if constexpr (std::is_same_v<T, std::vector<Control>>) {
        value = {{"pose", {"cd34", "blob-2"}, 0.7, 0.1, 0.9}};
      }
    });
  }
  spec.seed = UINT64_MAX;
  spec.guidance_scale = 0.1 + 0.2;
  return spec;
}

TEST(PictureJsonTest, EverythingReadsBackAsItWas) {
  const PictureSpec spec = Everything();
  const std::string text = ToJson(spec).dump();
  const auto asked = FromJson(nlohmann::json::parse(text));
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->values(), spec) << text;
  for (const auto& parameter : Parameters()) EXPECT_TRUE(asked->Has(parameter.name));
}

TEST(PictureJsonTest, OnlyWhatIsNamedIsAskedFor) {
  const auto asked = FromJson({{"steps", 3}});
  ASSERT_TRUE(asked.ok());
  EXPECT_TRUE(asked->Has("steps"));
  EXPECT_FALSE(asked->Has("width"));
}

TEST(PictureJsonTest, WhatIsNoSpecIsRefusedByName) {
  struct Case {
    const char* json;
    const char* says;
  };
  for (const Case& c : {
           Case{"[]", "must be an object"},
           Case{R"({"stepz": 3})", "stepz is not known"},
           Case{R"({"steps": "3"})", "steps must be a whole number between"},
           Case{R"({"steps": 2.5})", "steps must be a whole number between"},
           Case{R"({"steps": 2147483648})", "steps must be a whole number between"},
           Case{R"({"steps": -2147483649})", "steps must be a whole number between"},
           Case{R"({"seed": -1})", "seed must be a whole number between 0"},
           Case{R"({"seed": 18446744073709551616})", "seed must be a whole number between 0"},
           Case{R"({"eta": true})", "eta must be a number"},
           Case{R"({"prompt": null})", "prompt must be a text"},
           Case{R"({"mask": "data:"})", "mask must have a sha256"},
           Case{R"({"mask": {"bytes": "x"}})", "mask.bytes is not known"},
           Case{R"({"loras": {}})", "loras must be a list"},
           Case{R"({"loras": [1]})", "loras[0] must be an object"},
           Case{R"({"loras": [{"name": "a"}, {"weight": "x"}]})", "loras[1].weight must be"},
           Case{R"({"controls": [{"image": {"blob": 1}}]})", "controls[0].image.blob must be"},
       }) {
    const Status status = FromJson(nlohmann::json::parse(c.json)).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.json;
    EXPECT_NE(Message(status).find(c.says), std::string::npos) << status;
  }
}

TEST(FingerprintJsonTest, HasWhatDecidesBytesAndNothingElse) {
  const std::string plain = FingerprintJson(PictureSpec{}).dump();
  EXPECT_EQ(plain, "{}");
  const PictureSpec everything = Everything();
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    PictureSpec spec;
    Copy(parameter, everything, &spec);
    EXPECT_EQ(FingerprintJson(spec).dump() != plain, parameter.decides_bytes) << parameter.name;
  }
}

TEST(FingerprintJsonTest, TextsStandAsDigestsWhateverTheyHold) {
  PictureSpec spec;
  spec.prompt = "a\xff";
  spec.loras = {{"\xfe", 1}};
  const std::string text = FingerprintJson(spec).dump();
  EXPECT_EQ(text.find("\xff"), std::string::npos);
  PictureSpec other = spec;
  other.loras[0].name = "\xfd";
  EXPECT_NE(FingerprintJson(other).dump(), text);
}

}  // namespace
}  // namespace phasor::picture
