#include "common/storage/s3/s3_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::storage {
namespace {

using testing::HasSubstr;

std::string ErrorBody(const std::string& code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code +
         "</Code><Message>The words of the server.</Message></Error>";
}

TEST(S3ReplyTest, EachRefusalIsOneOfThreeErrors) {
  const struct {
    int status;
    std::string code;
    StatusCode expected;
  } cases[] = {
      {404, "NoSuchKey", StatusCode::kNotFound},
      {404, "NoSuchBucket", StatusCode::kUnavailable},
      {404, "", StatusCode::kUnavailable},
      {403, "AccessDenied", StatusCode::kUnavailable},
      {403, "SignatureDoesNotMatch", StatusCode::kUnavailable},
      {403, "RequestTimeTooSkewed", StatusCode::kUnavailable},
      {400, "AuthorizationHeaderMalformed", StatusCode::kUnavailable},
      {400, "ExpiredToken", StatusCode::kUnavailable},
      {301, "PermanentRedirect", StatusCode::kUnavailable},
      {500, "InternalError", StatusCode::kUnavailable},
      {503, "SlowDown", StatusCode::kUnavailable},
      {503, "", StatusCode::kUnavailable},
      {507, "", StatusCode::kResourceExhausted},
      {507, "XMinioStorageFull", StatusCode::kResourceExhausted},
      {403, "QuotaExceeded", StatusCode::kResourceExhausted},
      {400, "EntityTooLarge", StatusCode::kResourceExhausted},
      {413, "", StatusCode::kResourceExhausted},
      {200, "InternalError", StatusCode::kUnavailable},
  };
  for (const auto& [http, code, expected] : cases) {
    const Status status = StatusOfReply({http, code.empty() ? "" : ErrorBody(code)});
    EXPECT_EQ(status.code(), expected) << http << " " << code;
    EXPECT_THAT(Message(status),
                HasSubstr(std::to_string(http) + (code.empty() ? "" : " " + code)));
  }
}

TEST(S3ReplyTest, WordsOfTheServerAreShortened) {
  const Status status = StatusOfReply({500, ErrorBody(std::string(10'000, 'x'))});
  EXPECT_LT(status.message().size(), 1'000u);
  EXPECT_THAT(Message(StatusOfReply({500, ErrorBody("A")})), HasSubstr("words of the server"));
  EXPECT_EQ(StatusOfReply({502, "<html>proxy"}).code(), StatusCode::kUnavailable);
}

TEST(S3ReplyTest, ReadsTimesInUtc) {
  EXPECT_EQ(ParseTime("2023-11-14T22:13:20.123Z"), 1'700'000'000'123);
  EXPECT_EQ(ParseTime("2023-11-14T22:13:20Z"), 1'700'000'000'000);
  for (const std::string text : {"", "yesterday", "2023-11-14", "2023-11-14T22:13:20",
                                 "2023-11-14T22:13:20+01:00", "2023-11-14T22:13:20.123"}) {
    EXPECT_EQ(ParseTime(text), -1) << text;
  }
}

std::string Listing(const std::string& contents, const std::string& rest) {
  return "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>" +
         contents + rest + "</ListBucketResult>";
}

std::string Contents(const std::string& key) {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified><Size>3</Size></Contents>";
}

TEST(S3ReplyTest, ReadsAPageAndTakesTheRootOff) {
  const std::string body =
      Listing(Contents("root/jobs/a&#35;2/r/1") + Contents("root/jobs/b") +
                  Contents("root/folder/") + Contents("root/a b") + Contents("other/c"),
              "<IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;=+/"
              "</NextContinuationToken>");
  const ListPage page = ReadListing(body, "root/").value();
  ASSERT_EQ(page.objects.size(), 2u) << "what is no legal key is somebody else's";
  EXPECT_EQ(page.objects[0].key, "jobs/a#2/r/1");
  EXPECT_EQ(page.objects[0].modified_ms, 1'700'000'000'000);
  EXPECT_EQ(page.objects[1].key, "jobs/b");
  EXPECT_EQ(page.next, "t&=+/");
  EXPECT_EQ(ReadListing(Listing("", "<IsTruncated>false</IsTruncated>"), "")->next, "");
}

TEST(S3ReplyTest, WhatIsNoListingIsUnavailable) {
  for (const std::string& body : {std::string("<html/>"), std::string("not xml"), std::string(),
                                  Listing("", "<IsTruncated>true</IsTruncated>"),
                                  Listing("<Contents><Key>k</Key></Contents>", "")}) {
    EXPECT_EQ(ReadListing(body, "").status().code(), StatusCode::kUnavailable) << body;
  }
}

}  // namespace
}  // namespace phasor::storage
