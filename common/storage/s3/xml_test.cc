#include "common/storage/s3/xml.h"

#include <gtest/gtest.h>

#include <random>

namespace phasor::storage {
namespace {

TEST(XmlTest, ReadsElementsTextAndEntities) {
  const XmlElement root = ParseXml(R"(<?xml version="1.0" encoding="UTF-8"?>
    <List xmlns="http://x/" a='>'>
      <Key>a&amp;b&lt;&gt;&quot;&apos;&#35;&#x23;&#xe9;&#x1F600;</Key>
      <Empty/><Blank ></Blank >
      <Key>second</Key>
    </List>
  )")
                              .value();
  EXPECT_EQ(root.name, "List");
  ASSERT_EQ(root.children.size(), 4u);
  EXPECT_EQ(root.ChildText("Key"), "a&b<>\"'##\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(root.ChildText("Empty"), "");
  EXPECT_EQ(root.ChildText("Missing"), "");
  EXPECT_EQ(root.children[3].text, "second");
}

TEST(XmlTest, WhatIsMalformedOrUnboundedIsDataLoss) {
  std::string deep;
  for (int i = 0; i < 9; ++i) deep += "<a>";
  for (int i = 0; i < 9; ++i) deep += "</a>";
  std::string wide = "<a>";
  for (int i = 0; i < 20'000; ++i) wide += "<b/>";
  wide += "</a>";
  for (const std::string& document : {std::string(),
                                      std::string("text"),
                                      std::string("<"),
                                      std::string("<a"),
                                      std::string("<a>"),
                                      std::string("<a></b>"),
                                      std::string("<a/><b/>"),
                                      std::string("<a/>x"),
                                      std::string("<a b/>"),
                                      std::string("<a b=c/>"),
                                      std::string("<a b='c/>"),
                                      std::string("<a>&nbsp;</a>"),
                                      std::string("<a>&#0;</a>"),
                                      std::string("<a>&#xD800;</a>"),
                                      std::string("<a>&#x110000;</a>"),
                                      std::string("<a>&#99999999;</a>"),
                                      std::string("<a>&#x;</a>"),
                                      std::string("<a>&#1g;</a>"),
                                      std::string("<a>&;</a>"),
                                      std::string("<a>&amp</a>"),
                                      std::string("<a><!-- c --></a>"),
                                      std::string("<!DOCTYPE a><a/>"),
                                      std::string("<a><![CDATA[x]]></a>"),
                                      std::string("<?xml <a/>"),
                                      std::string("<a></a"),
                                      std::string("<a></>"),
                                      deep,
                                      wide}) {
    EXPECT_EQ(ParseXml(document).status().code(), StatusCode::kDataLoss) << document.substr(0, 60);
  }
}

TEST(XmlTest, DamagedDocumentsNeverCrash) {
  const std::string good =
      "<?xml version=\"1.0\"?><R a=\"b\"><K>x&amp;y</K><E/><C><K>&#35;</K></C></R>";
  ASSERT_TRUE(ParseXml(good).ok());
  std::mt19937 random(3);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = good;
    for (int j = 0; j < 1 + i % 4; ++j) {
      const size_t at = random() % damaged.size();
      if (random() % 3 == 0) {
        damaged.erase(at, 1 + random() % 5);
      } else {
        damaged[at] = static_cast<char>(random());
      }
      if (damaged.empty()) damaged = "<";
    }
    refused += ParseXml(damaged).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 10'000);
}

}  // namespace
}  // namespace phasor::storage
