// The result store in a real S3 server: the contract of all stores, signatures, and a server that
// refuses, stalls, dies or ignores conditions.
#include "common/storage/s3/s3_store.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/base/hash.h"
#include "common/storage/result_store_contract.h"
#include "tests/integration/s3_server.h"

namespace phasor::storage {
namespace {

using testing::HasSubstr;
using testing::Not;

CurlTransportOptions OptionsFor(const S3Server& server) {
  return {.endpoint = server.endpoint(), .credentials = S3Server::Credentials()};
}

StatusOr<std::unique_ptr<S3Store>> Open(CurlTransportOptions transport,
                                        const std::string& prefix = "a#b/c.d_e-f",
                                        const std::string& bucket = S3Server::kBucket) {
  return S3Store::Open({.bucket = bucket, .prefix = prefix},
                       std::make_unique<CurlTransport>(std::move(transport)));
}

S3Server& Shared() {
  static S3Server server;
  return server;
}

// One server, an empty prefix for each test.
std::unique_ptr<ResultStore> Make() {
  return Open(OptionsFor(Shared()), "contract/#" + RandomToken()).value();
}

INSTANTIATE_TEST_SUITE_P(S3, ResultStoreContract, testing::Values(&Make));

TEST(S3StoreTest, StoresWithOtherPrefixesDoNotSeeEachOther) {
  const auto a = Open(OptionsFor(Shared()), "a").value();
  const auto b = Open(OptionsFor(Shared()), "a/jobs").value();
  const auto whole = Open(OptionsFor(Shared()), "").value();
  ASSERT_TRUE(a->CreateTerminal(TestRecord(1)).ok());
  EXPECT_EQ(b->ReadTerminal(TestId(1)).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(ListKeys(*b, "jobs")->empty());
  EXPECT_EQ(ListKeys(*a, "jobs")->size(), 1u);
  EXPECT_TRUE(whole->Get("a/" + TerminalKey(TestId(1))).ok());
}

TEST(S3StoreTest, KeysInFilesAreReadForEachRequest) {
  const auto write = [](const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + "phasor-s3-" + name;
    std::ofstream(path, std::ios::trunc) << text << "\n";
    return path;
  };
  CurlTransportOptions options = OptionsFor(Shared());
  options.key_id_file = write("id", options.credentials.access_key_id);
  options.secret_file = write("secret", options.credentials.secret_access_key);
  options.credentials = {};
  const auto store = Open(options, "files").value();
  EXPECT_TRUE(store->Put("a", "bytes").ok());
  write("secret", "another");
  EXPECT_FALSE(store->Put("b", "bytes").ok());
  write("secret", S3Server::Credentials().secret_access_key);
  EXPECT_TRUE(store->Put("c", "bytes").ok());
}

TEST(S3StoreTest, SessionTokensAreSigned) {
  CurlTransportOptions options = OptionsFor(Shared());
  options.credentials.session_token = "a/session+token==";
  EXPECT_TRUE(Open(options).ok());
  options.credentials.session_token = "another";
  EXPECT_THAT(Message(Open(options).status()), HasSubstr("InvalidToken"));
}

TEST(S3StoreTest, WrongCredentialsAreNoMistakeOfTheCallerAndStaySecret) {
  CurlTransportOptions options = OptionsFor(Shared());
  options.credentials.secret_access_key = "not-the-secret";
  Status status = Open(options).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(Message(status), Not(HasSubstr("not-the-secret")));
  options.credentials.access_key_id = "nobody";
  status = Open(options).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("InvalidAccessKeyId"));
}

TEST(S3StoreTest, ABucketThatIsNotThereIsNamed) {
  const Status status = Open(OptionsFor(Shared()), "p", "no-such-bucket").status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("bucket no-such-bucket"));
  EXPECT_THAT(Message(status), HasSubstr("NoSuchBucket"));
}

TEST(S3StoreTest, AServerThatIgnoresConditionsIsRefusedAtTheStart) {
  const S3Server server(/*honours_conditions=*/false);
  const Status status = Open(OptionsFor(server)).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("If-None-Match"));
}

TEST(S3StoreTest, RepliesAboveTheLimitAreExhausted) {
  const auto large = Open(OptionsFor(Shared()), "limit").value();
  const auto small =
      S3Store::Open({.bucket = S3Server::kBucket, .prefix = "limit", .max_blob_bytes = 100'000},
                    std::make_unique<CurlTransport>(OptionsFor(Shared())))
          .value();
  ASSERT_TRUE(large->Put("k", std::string(100'001, 'x')).ok());
  EXPECT_EQ(small->Get("k").status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(small->Put("k", std::string(100'001, 'x')).code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(small->Put("k", std::string(100'000, 'y')).ok());
  EXPECT_EQ(small->Get("k")->size(), 100'000u);
}

TEST(S3StoreTest, AStalledServerIsUnknownAndTheRepeatFindsItsOwnRecord) {
  S3Server server;
  CurlTransportOptions options = OptionsFor(server);
  options.request_timeout = Millis(1'000);
  const auto store = Open(options).value();
  server.Pause();
  EXPECT_EQ(store->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kUnavailable);
  server.Resume();
  StatusOr<TerminalRecord> stands = Unavailable("not asked");
  for (int tries = 0; !stands.ok() && tries < 20; ++tries) {
    stands = store->CreateTerminal(TestRecord(1));
  }
  ASSERT_TRUE(stands.ok()) << stands.status();
  EXPECT_EQ(stands->nonce, TestRecord(1).nonce);
  TerminalRecord late = TestRecord(1);
  late.nonce = "late";
  EXPECT_EQ(store->CreateTerminal(late)->nonce, TestRecord(1).nonce);
}

TEST(S3StoreTest, AServerThatIsGoneIsUnavailable) {
  S3Server server;
  const auto store = Open(OptionsFor(server)).value();
  ASSERT_TRUE(store->Put("k", "v").ok());
  server.Kill();
  EXPECT_EQ(store->Put("k", "w").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store->Get("k").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store->Delete("k").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store->List("jobs", "", 10).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store->ReadTerminal(TestId(1)).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Open(OptionsFor(server)).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace phasor::storage
