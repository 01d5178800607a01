#include "common/storage/s3/uri.h"

#include <gtest/gtest.h>

namespace phasor::storage {
namespace {

TEST(UriTest, KeysAreEncodedAsTheSignatureWantsThem) {
  const std::pair<std::string, std::string> cases[] = {
      {"jobs/abc#2/r/1-n-0.png", "jobs/abc%232/r/1-n-0.png"},
      {"a-b_c.d~e", "a-b_c.d~e"},
      {"a b+c", "a%20b%2Bc"},
      {"\xc3\xa9%", "%C3%A9%25"},
      {std::string("\0", 1), "%00"},
      {"", ""},
  };
  for (const auto& [path, encoded] : cases) EXPECT_EQ(EncodePath(path), encoded);
}

TEST(UriTest, QueriesAreSortedAndSlashesInThemEncoded) {
  EXPECT_EQ(EncodeQuery({{"prefix", "a/b#"}, {"continuation-token", "x+y="}, {"list-type", "2"}}),
            "continuation-token=x%2By%3D&list-type=2&prefix=a%2Fb%23");
  EXPECT_EQ(EncodeQuery({{"acl", ""}}), "acl=");
}

}  // namespace
}  // namespace phasor::storage
