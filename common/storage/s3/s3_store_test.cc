// The S3 store against a script of answers; the contract runs against a real server in
// tests/integration/s3_store_test.cc.
#include "common/storage/s3/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <utility>

#include "common/storage/record_codec.h"
#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// Only the contract's records are used here.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ResultStoreContract);

// What the store said, and what it is told next; without a script it is told 200.
struct Script {
  std::vector<HttpRequest> requests;
  std::vector<std::string> bodies;
  std::deque<StatusOr<HttpReply>> replies;
};

class ScriptedTransport final : public HttpTransport {
 public:
  explicit ScriptedTransport(Script* script) : script_(script) {}
  StatusOr<HttpReply> Send(const HttpRequest& request) override {
    script_->requests.push_back(request);
    script_->bodies.emplace_back(request.body);
    script_->requests.back().body = {};
    // The store's own probe reads back the token that it has put.
    if (probing_) return Probe(request);
    if (script_->replies.empty()) return HttpReply{200, ""};
    StatusOr<HttpReply> reply = std::move(script_->replies.front());
    script_->replies.pop_front();
    return reply;
  }

 private:
  StatusOr<HttpReply> Probe(const HttpRequest& request) {
    if (request.method == "DELETE") probing_ = false;
    if (request.method == "PUT") {
      return HttpReply{script_->bodies.size() == 1 ? 200 : 412, ""};
    }
    if (request.query.empty()) return HttpReply{200, script_->bodies[0]};
    return HttpReply{200,
                     "<ListBucketResult><Contents><Key>root/probe-x/k</Key><LastModified>"
                     "2023-11-14T22:13:20Z</LastModified></Contents></ListBucketResult>"};
  }

  Script* const script_;
  bool probing_ = true;
};

HttpReply Error(int status, const std::string& code) {
  return {status, "<Error><Code>" + code + "</Code></Error>"};
}

class S3StoreTest : public testing::Test {
 protected:
  S3StoreTest() {
    store_ = S3Store::Open({.bucket = "bucket", .prefix = "root", .max_blob_bytes = 1'000},
                           std::make_unique<ScriptedTransport>(&script_))
                 .value();
    script_ = {};
  }
  void Answer(StatusOr<HttpReply> reply) { script_.replies.push_back(std::move(reply)); }
  HttpReply RecordOf(const std::string& nonce) {
    TerminalRecord record = TestRecord(1);
    record.nonce = nonce;
    return {200, EncodeRecord(record).value()};
  }

  Script script_;
  std::unique_ptr<S3Store> store_;
};

// Answers everything alike.
class OneAnswer final : public HttpTransport {
 public:
  explicit OneAnswer(StatusOr<HttpReply> reply) : reply_(std::move(reply)) {}
  StatusOr<HttpReply> Send(const HttpRequest&) override { return reply_; }

 private:
  const StatusOr<HttpReply> reply_;
};

TEST(S3StoreOpenTest, WhatDoesNotPassByItselfIsToldFromAServerThatIsAway) {
  const struct {
    StatusOr<HttpReply> reply;
    StatusCode code;
  } cases[] = {{Unavailable("nobody listens"), StatusCode::kUnavailable},
               {Error(500, "InternalError"), StatusCode::kUnavailable},
               {Error(503, "SlowDown"), StatusCode::kUnavailable},
               {Error(429, "TooManyRequests"), StatusCode::kUnavailable},
               {Error(408, "RequestTimeout"), StatusCode::kUnavailable},
               {Error(403, "InvalidAccessKeyId"), StatusCode::kFailedPrecondition},
               {Error(404, "NoSuchBucket"), StatusCode::kFailedPrecondition},
               {Error(301, "PermanentRedirect"), StatusCode::kFailedPrecondition},
               {Error(400, "AuthorizationHeaderMalformed"), StatusCode::kFailedPrecondition},
               {Error(501, "NotImplemented"), StatusCode::kFailedPrecondition}};
  for (const auto& one : cases) {
    const Status status =
        S3Store::Open({.bucket = "bucket", .prefix = ""}, std::make_unique<OneAnswer>(one.reply))
            .status();
    EXPECT_EQ(status.code(), one.code) << status;
    EXPECT_THAT(Message(status), HasSubstr("result store in bucket bucket"));
  }
}

TEST_F(S3StoreTest, KeysGoBelowBucketAndPrefixEncoded) {
  ASSERT_TRUE(store_->Put("jobs/a#2/r", "bytes").ok());
  const HttpRequest& put = script_.requests.at(0);
  EXPECT_EQ(put.method, "PUT");
  EXPECT_EQ(put.path, "/bucket/root/jobs/a%232/r");
  EXPECT_EQ(script_.bodies.at(0), "bytes");
  EXPECT_THAT(put.headers, Not(Contains(HasSubstr("If-None-Match")))) << "blobs are overwritten";
  ASSERT_TRUE(store_->Delete("k").ok());
  EXPECT_EQ(script_.requests.at(1).method, "DELETE");
}

TEST_F(S3StoreTest, TheRecordIsPutOnlyIfAbsent) {
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1))->nonce, "nonce");
  ASSERT_EQ(script_.requests.size(), 1u);
  EXPECT_THAT(script_.requests[0].headers, Contains("If-None-Match: *"));
}

TEST_F(S3StoreTest, WhoLosesReadsTheWinner) {
  for (const int lost : {412, 409}) {
    Answer(Error(lost, "PreconditionFailed"));
    Answer(RecordOf("winner"));
    EXPECT_EQ(store_->CreateTerminal(TestRecord(1))->nonce, "winner");
  }
}

TEST_F(S3StoreTest, WritersThatAllLostTryAgain) {
  Answer(Error(409, "ConditionalRequestConflict"));
  Answer(Error(404, "NoSuchKey"));
  Answer(HttpReply{200, ""});
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1))->nonce, "nonce");
  for (int i = 0; i < 3; ++i) {
    Answer(Error(409, "ConditionalRequestConflict"));
    Answer(Error(404, "NoSuchKey"));
  }
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(script_.replies.empty()) << "but not for ever";
}

TEST_F(S3StoreTest, ALostReplyIsUnknownAndTheRepeatFindsItsOwnRecord) {
  Answer(Unavailable("reset"));
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kUnavailable);
  Answer(Error(412, "PreconditionFailed"));
  Answer(RecordOf("nonce"));
  const TerminalRecord stands = store_->CreateTerminal(TestRecord(1)).value();
  EXPECT_EQ(stands.nonce, TestRecord(1).nonce);
  EXPECT_EQ(stands.epoch, TestRecord(1).epoch);
}

TEST_F(S3StoreTest, ALostRaceWhoseWinnerCannotBeReadIsUnknown) {
  Answer(Error(412, "PreconditionFailed"));
  Answer(Error(503, "SlowDown"));
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kUnavailable);
}

TEST_F(S3StoreTest, AFullServerIsExhausted) {
  Answer(Error(507, "XMinioStorageFull"));
  EXPECT_EQ(store_->Put("k", "v").code(), StatusCode::kResourceExhausted);
  Answer(Error(507, "XMinioStorageFull"));
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(S3StoreTest, BrokenAndForeignRecordsAreDataLoss) {
  Answer(HttpReply{200, "{"});
  EXPECT_EQ(store_->ReadTerminal(TestId(1)).status().code(), StatusCode::kDataLoss);
  Answer(RecordOf("nonce"));
  EXPECT_EQ(store_->ReadTerminal(TestId(2)).status().code(), StatusCode::kDataLoss);
}

TEST_F(S3StoreTest, ListingsSayWhereToGoOn) {
  Answer(HttpReply{200,
                   "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t"
                   "</NextContinuationToken></ListBucketResult>"});
  EXPECT_EQ(store_->List("jobs", "", 7)->next, "t");
  const auto& first = script_.requests.at(0).query;
  EXPECT_EQ(first.at("prefix"), "root/jobs/");
  EXPECT_EQ(first.at("max-keys"), "7");
  EXPECT_EQ(first.count("continuation-token"), 0u);
  Answer(HttpReply{200, "<ListBucketResult/>"});
  EXPECT_EQ(store_->List("jobs", "t", 7)->next, "");
  EXPECT_EQ(script_.requests.at(1).query.at("continuation-token"), "t");
}

TEST_F(S3StoreTest, DeletingWhatIsGoneIsFine) {
  Answer(Error(404, "NoSuchKey"));
  EXPECT_TRUE(store_->Delete("k").ok());
  Answer(Error(404, "NoSuchBucket"));
  EXPECT_EQ(store_->Delete("k").code(), StatusCode::kUnavailable);
}

TEST_F(S3StoreTest, SizesAreBoundedBothWays) {
  EXPECT_EQ(store_->Put("k", std::string(1'001, 'x')).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(script_.requests.empty()) << "nothing is sent";
  Answer(HttpReply{200, std::string(1'001, 'x')});
  EXPECT_EQ(store_->Get("k").status().code(), StatusCode::kResourceExhausted);
}

TEST(S3StoreOpenTest, WrongNamesAreRefusedBeforeAnythingIsSent) {
  Script script;
  const auto open = [&](const std::string& bucket, const std::string& prefix) {
    return S3Store::Open({.bucket = bucket, .prefix = prefix},
                         std::make_unique<ScriptedTransport>(&script))
        .status()
        .code();
  };
  EXPECT_EQ(open("", "root"), StatusCode::kInvalidArgument);
  EXPECT_EQ(open("bucket", "/root"), StatusCode::kInvalidArgument);
  EXPECT_EQ(open("bucket", "../root"), StatusCode::kInvalidArgument);
  EXPECT_TRUE(script.requests.empty());
}

}  // namespace
}  // namespace phasor::storage
