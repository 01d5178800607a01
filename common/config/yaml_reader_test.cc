#include "common/config/yaml_reader.h"

#include <gtest/gtest.h>

namespace phasor::config {
namespace {

YamlReader Reader(const std::string& text) { return *YamlReader::Parse(text, "f.yaml"); }

TEST(YamlReaderTest, ReadsTypedValuesAndKeepsDefaults) {
  YamlReader reader = Reader("a: 3\nb: x\nc: [1, 2.5]\nd: true\n");
  int a = 0;
  int missing = 7;
  std::string b;
  std::vector<double> c;
  bool d = false;
  reader.Int("a", 0, 10, &a);
  reader.Int("missing", 0, 10, &missing);
  reader.String("b", &b);
  reader.Doubles("c", &c);
  reader.Bool("d", &d);
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(a, 3);
  EXPECT_EQ(missing, 7);
  EXPECT_EQ(b, "x");
  EXPECT_EQ(c, (std::vector<double>{1, 2.5}));
  EXPECT_TRUE(d);
}

TEST(YamlReaderTest, AnUnknownKeyIsAnErrorThatNamesIt) {
  EXPECT_EQ(Reader("zz: 1").Finish(), InvalidArgument("f.yaml: unknown key zz"));
  YamlReader reader = Reader("a:\n  typo: 1");
  YamlReader child = reader.Child("a");
  reader.Absorb(child);
  EXPECT_EQ(reader.Finish(), InvalidArgument("f.yaml: unknown key a.typo"));
}

TEST(YamlReaderTest, WrongTypesAndBoundsNameTheKey) {
  struct Case {
    std::string text;
    std::string says;
  };
  for (const Case& c : {Case{"a: x", "a must be a whole number, got 'x'"},
                        Case{"a: 11", "a must be between 0 and 10, got 11"},
                        Case{"a: [1]", "a must be a whole number"}}) {
    YamlReader reader = Reader(c.text);
    int a = 0;
    reader.Int("a", 0, 10, &a);
    EXPECT_EQ(reader.Finish(), InvalidArgument("f.yaml: " + c.says));
  }
  YamlReader reader = Reader("a: .nan");
  double a = 0;
  reader.Double("a", 0, 1, &a);
  EXPECT_FALSE(reader.Finish().ok());
}

TEST(YamlReaderTest, NumbersAreDecimalAlways) {
  YamlReader reader = Reader("{a: 010, b: +7, c: 1e1}");
  int a = 0, b = 0;
  double c = 0;
  reader.Int("a", 0, 100, &a);
  reader.Int("b", 0, 100, &b);
  reader.Double("c", 0, 100, &c);
  ASSERT_EQ(reader.Finish(), OkStatus());
  EXPECT_EQ(a, 10);
  EXPECT_EQ(b, 7);
  EXPECT_EQ(c, 10);
  for (const char* text : {"a: 0x10", "a: 1.0", "a: 9223372036854775808", "a: 1e1", "a: ~"}) {
    YamlReader wrong = Reader(text);
    int64_t value = 0;
    wrong.Int("a", 0, INT64_MAX, &value);
    EXPECT_FALSE(wrong.Finish().ok()) << text;
  }
}

TEST(YamlReaderTest, BrokenYamlAndForeignShapesAreErrors) {
  EXPECT_FALSE(YamlReader::Parse("a: [", "f.yaml").ok());
  EXPECT_FALSE(Reader("- 1\n- 2").Finish().ok());
  EXPECT_TRUE(Reader("").Finish().ok());
}

}  // namespace
}  // namespace phasor::config
