#include "engine/weights/config_reader.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/weights/temporary_directory.h"

namespace phasor::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ConfigReader Reader(const std::string& json) {
  return ConfigReader("config.json", nlohmann::json::parse(json));
}

TEST(ConfigReaderTest, ReadsValuesWithTheReferencesTolerances) {
  ConfigReader reader = Reader(
      R"({"i": 4.0, "d": 1, "n": null, "l": [1, 2.0], "s": "silu", "b": true, "each": 3,
          "flags": [true, null], "_class_name": "X", "odd": 1})");
  EXPECT_EQ(reader.Int("i", 0, {0, 10}), 4);
  EXPECT_EQ(reader.Double("d", 0), 1.0);
  EXPECT_FALSE(reader.Bool("n", true)) << "null is false, whatever the default";
  EXPECT_TRUE(reader.Bool("absent", true));
  EXPECT_EQ(reader.OptionalInt("n", {0, 1}), std::nullopt);
  EXPECT_THAT(reader.PerLevel("l", 0, 2, {0, 9}), ElementsAre(1, 2));
  EXPECT_THAT(reader.PerLevel("each", 0, 3, {0, 9}), ElementsAre(3, 3, 3));
  EXPECT_THAT(reader.PerLevel("absent", 7, 2, {0, 9}), ElementsAre(7, 7));
  EXPECT_THAT(reader.BoolPerLevel("flags", false, 2), ElementsAre(true, false));
  EXPECT_EQ(reader.String("s", ""), "silu");
  reader.RequireOneOf("s", {"silu", "swish"});
  EXPECT_TRUE(reader.status().ok()) << reader.status();
  EXPECT_THAT(reader.UnknownKeys(), ElementsAre("b", "odd"));
}

TEST(ConfigReaderTest, ErrorsNameFileKeyAndLimit) {
  const struct {
    const char* json;
    std::function<void(ConfigReader&)> read;
    const char* message;
  } cases[] = {
      {R"({"k": 1.5})",
       [](auto& r) {
         r.Int("k", 0, {0, 9});
       },
       "k is 1.5, not an integer"},
      {R"({"k": "4"})",
       [](auto& r) {
         r.Int("k", 0, {0, 9});
       },
       "k is \"4\", not an integer"},
      {R"({"k": true})",
       [](auto& r) {
         r.Int("k", 0, {0, 9});
       },
       "k is true, not an integer"},
      {R"({"k": 10})",
       [](auto& r) {
         r.Int("k", 0, {0, 9});
       },
       "k is 10; it must lie in 0 to 9"},
      {R"({"k": 1e300})",
       [](auto& r) {
         r.Int("k", 0, {0, 9});
       },
       "it must lie in 0 to 9"},
      {R"({"k": 1})", [](auto& r) { r.Bool("k", false); }, "k is 1, not true or false"},
      {R"({"k": 1})", [](auto& r) { r.String("k", ""); }, "k is 1, not a string"},
      {R"({"k": "x"})", [](auto& r) { r.Double("k", 0); }, "not a finite number"},
      {R"({"k": [1, 2]})",
       [](auto& r) {
         r.PerLevel("k", 0, 3, {0, 9});
       },
       "k has 2 entries where the model has 3 levels"},
      {R"({"k": []})",
       [](auto& r) {
         r.Ints("k", {}, {0, 9});
       },
       "not a list of integers"},
      {R"({"k": ["a", 1]})", [](auto& r) { r.Strings("k", {}); }, "not a list of strings"},
      {R"({"k": "gated"})", [](auto& r) { r.RequireOneOf("k", {"default"}); },
       "k is \"gated\", which this engine does not run"},
  };
  for (const auto& item : cases) {
    ConfigReader reader = Reader(item.json);
    item.read(reader);
    EXPECT_EQ(reader.status().code(), StatusCode::kInvalidArgument) << item.json;
    EXPECT_THAT(Message(reader.status()), HasSubstr("config.json: k "));
    EXPECT_THAT(Message(reader.status()), HasSubstr(item.message));
  }
}

TEST(ConfigReaderTest, TheFirstErrorStays) {
  ConfigReader reader = Reader(R"({"a": "x", "b": "y"})");
  EXPECT_EQ(reader.Int("a", 0, {3, 9}), 3) << "a value inside the range, so that callers go on";
  reader.Int("b", 0, {0, 9});
  EXPECT_THAT(Message(reader.status()), HasSubstr("config.json: a "));
}

TEST(ConfigReaderTest, OpenNamesTheFile) {
  const TemporaryDirectory folder;
  EXPECT_EQ(ConfigReader::Open(folder.path() + "/config.json").status().code(),
            StatusCode::kNotFound);
  for (const char* text : {"", "{", "[1]", "7"}) {
    const std::string path = folder.Write("config.json", text);
    const auto reader = ConfigReader::Open(path);
    EXPECT_THAT(Message(reader.status()), HasSubstr(path + ": not a JSON object"));
  }
}

}  // namespace
}  // namespace phasor::engine
