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
  for (const Case& c : {Case{"a: x", "a must be a whole number"},
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

TEST(YamlReaderTest, BrokenYamlAndForeignShapesAreErrors) {
  EXPECT_FALSE(YamlReader::Parse("a: [", "f.yaml").ok());
  EXPECT_FALSE(Reader("- 1\n- 2").Finish().ok());
  EXPECT_TRUE(Reader("").Finish().ok());
}

}  // namespace
}  // namespace phasor::config
