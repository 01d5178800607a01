#include "common/storage/store_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::storage {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kHour = 3'600'000;

template <typename Options>
Options Parse(const std::string& url) {
  return std::get<Options>(ParseStoreUrl(url, "eu-north-1").value());
}

TEST(StoreUrlTest, APlainPathAndAFileUrlAreFolders) {
  EXPECT_EQ(Parse<FsStoreOptions>("phasor-data/store").root, "phasor-data/store");
  EXPECT_EQ(Parse<FsStoreOptions>("/var/lib/phasor").root, "/var/lib/phasor");
  EXPECT_EQ(Parse<FsStoreOptions>("a:b?c").root, "a:b?c");
  EXPECT_EQ(Parse<FsStoreOptions>("file:///var/lib/a%20b").root, "/var/lib/a b");
}

TEST(StoreUrlTest, ReadsRedisWithItsTimesAndLimit) {
  const auto plain = Parse<RedisStoreOptions>("redis://:p%40ss@results:7000/3");
  EXPECT_EQ(plain.redis.address.host, "results");
  EXPECT_EQ(plain.redis.address.port, 7000);
  EXPECT_EQ(plain.redis.address.password, "p@ss");
  EXPECT_EQ(plain.redis.address.database, 3);
  EXPECT_EQ(plain.blob_ttl.count(), 72 * kHour);
  EXPECT_EQ(plain.record_ttl.count(), 30 * 24 * kHour);

  const auto full =
      Parse<RedisStoreOptions>("redis://results?ttl=90m&record_ttl=4d&max_blob=64KiB");
  EXPECT_EQ(full.blob_ttl.count(), kHour * 3 / 2);
  EXPECT_EQ(full.record_ttl.count(), 96 * kHour);
  EXPECT_EQ(full.max_blob_bytes, 65'536u);

  const auto socket = Parse<RedisStoreOptions>("unix:///run/redis.sock?ttl=1h&db=2");
  EXPECT_EQ(socket.redis.address.socket, "/run/redis.sock");
  EXPECT_EQ(socket.redis.address.database, 2);
  EXPECT_EQ(socket.blob_ttl.count(), kHour);
}

TEST(StoreUrlTest, RecordsOutliveBlobsUnlessSaidOtherwise) {
  EXPECT_EQ(Parse<RedisStoreOptions>("redis://h?ttl=60d").record_ttl.count(), 60 * 24 * kHour);
  EXPECT_EQ(Parse<RedisStoreOptions>("redis://h?ttl=0").record_ttl.count(), 0);
}

TEST(StoreUrlTest, ReadsBucketsWithPrefixEndpointAndRegion) {
  const auto plain = Parse<S3Address>("s3://my.bucket-1");
  EXPECT_EQ(plain.store.bucket, "my.bucket-1");
  EXPECT_EQ(plain.store.prefix, "");
  EXPECT_EQ(plain.transport.region, "eu-north-1");
  EXPECT_EQ(plain.transport.endpoint, "https://s3.eu-north-1.amazonaws.com");

  const auto full = Parse<S3Address>(
      "s3://results/fleet/a/?endpoint=http%3A%2F%2Fminio:9000/&region=local&timeout=5s");
  EXPECT_EQ(full.store.bucket, "results");
  EXPECT_EQ(full.store.prefix, "fleet/a");
  EXPECT_EQ(full.transport.endpoint, "http://minio:9000");
  EXPECT_EQ(full.transport.region, "local");
  EXPECT_EQ(full.transport.request_timeout.count(), 5'000);
  EXPECT_EQ(Parse<S3Address>("s3://abc?endpoint=http://[::1]:9000").transport.endpoint,
            "http://[::1]:9000");
}

TEST(StoreUrlTest, ErrorsNameThePartThatIsWrong) {
  const struct {
    std::string url;
    std::string part;
  } cases[] = {
      {"", "empty"},
      {"http://x/y", "scheme 'http'"},
      {"S3://bucket", "scheme"},
      {"file://host/path", "absolute path"},
      {"file://relative", "absolute path"},
      {"file://", "absolute path"},
      {"file:///a%2", "path"},
      {"file:///a%", "path"},
      {"file:///a%zz", "path"},
      {"redis://", "host"},
      {"redis://h:port", "port"},
      {"redis://h?ttl=3", "ttl"},
      {"redis://h?ttl=-3h", "ttl"},
      {"redis://h?ttl=0h", "ttl"},
      {"redis://h?ttl=h", "ttl"},
      {"redis://h?ttl=1.5h", "ttl"},
      {"redis://h?ttl=9999999999d", "ttl"},
      {"redis://h?ttl", "ttl has no value"},
      {"redis://h?ttl=", "ttl"},
      {"redis://h?ttl=1h&ttl=2h", "twice"},
      {"redis://h?max_blob=5MB", "max_blob"},
      {"redis://h?max_blob=0", "max_blob"},
      {"redis://h?max_blob=1GiB", "512MiB"},
      {"redis://h?db=2", "'db'"},
      {"redis://h?color=red", "'color'"},
      {"unix://relative", "absolute"},
      {"unix:///s?db=x", "db"},
      {"s3://", "bucket"},
      {"s3://ab", "bucket"},
      {"s3://Bucket", "bucket"},
      {"s3://-bucket", "bucket"},
      {"s3://bucket.", "bucket"},
      {"s3://bucket//x", "prefix"},
      {"s3://bucket/../x", "prefix"},
      {"s3://bucket/a b", "prefix"},
      {"s3://bucket?region=EU", "region"},
      {"s3://bucket?region=", "region"},
      {"s3://bucket?region=a:b", "region"},
      {"s3://bucket?endpoint=minio:9000", "endpoint"},
      {"s3://bucket?endpoint=ftp://minio", "endpoint"},
      {"s3://bucket?endpoint=http://", "endpoint"},
      {"s3://bucket?endpoint=http://minio/path", "endpoint"},
      {"s3://bucket?endpoint=", "endpoint"},
      {"s3://bucket?timeout=0", "timeout"},
      {"s3://bucket?key=a", "'key'"},
  };
  for (const auto& [url, part] : cases) {
    const Status status = ParseStoreUrl(url, "us-east-1").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(Message(status), HasSubstr(part)) << url;
  }
}

TEST(StoreUrlTest, SecretsAreNeitherTakenForS3NorShown) {
  for (const std::string url : {"s3://id:s3cret@bucket", "s3://bucket/a@s3cret",
                                "s3://bucket?endpoint=http://id:s3cret@minio",
                                "redis://:s3cret@h:port", "redis://:s3cret@h?ttl=x"}) {
    const Status status = ParseStoreUrl(url, "us-east-1").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(Message(status), Not(HasSubstr("s3cret"))) << url;
  }
}

}  // namespace
}  // namespace phasor::storage
