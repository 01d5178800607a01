#include "services/gateway/grpc/message_bytes.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/support/sync_stream.h>
#include <gtest/gtest.h>

#include "common/rpc/status_details.h"
#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using testing::ElementsAre;

grpc::ByteBuffer Buffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

// A field of the wire format: a tag and what it holds.
std::string Field(int number, const std::string& content) {
  std::string bytes;
  for (size_t value : {static_cast<size_t>(number) << 3 | 2, content.size()}) {
    for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
    bytes.push_back(static_cast<char>(value));
  }
  return bytes.append(content);
}

constexpr int kPrompt = v1::GenerateRequest::kPromptFieldNumber;
constexpr int kLoras = v1::GenerateRequest::kLorasFieldNumber;
const std::string kLatin1 = "caf\xe9";

// The fields that are named, in order.
template <typename Message>
std::vector<std::string> Named(const std::string& bytes) {
  Message message;
  const Status status = ParseMessage(Buffer(bytes), &message);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  std::vector<std::string> fields;
  for (const FieldViolation& violation : rpc::FieldViolationsOf(status)) {
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(MessageBytesTest, WhatIsAMessageIsParsedAsEver) {
  v1::SubmitRequest request;
  request.mutable_request()->set_prompt("a caf\xc3\xa9 in the rain");
  v1::SubmitRequest parsed;
  ASSERT_TRUE(ParseMessage(ToBytes(request), &parsed).ok());
  EXPECT_EQ(parsed.SerializeAsString(), request.SerializeAsString());
  EXPECT_TRUE(ParseMessage(Buffer(""), &parsed).ok());
  EXPECT_FALSE(parsed.has_request());
}

TEST(MessageBytesTest, TextThatIsNoUtf8IsNamedAsOtherFaultsAre) {
  EXPECT_THAT(Named<v1::SubmitRequest>(Field(1, Field(kPrompt, kLatin1))), ElementsAre("prompt"));
  EXPECT_THAT(Named<v1::SubmitRequest>(
                  Field(1, Field(1, "\xff") + Field(kPrompt, "fine") + Field(3, "\xc0\x80"))),
              ElementsAre("model", "negative_prompt"));
  const std::string fine = Field(1, Field(kPrompt, "fine"));
  EXPECT_THAT(Named<v1::BatchSubmitRequest>(fine + fine + Field(1, Field(kPrompt, kLatin1))),
              ElementsAre("requests[2].prompt"));
  EXPECT_THAT(Named<v1::GenerateImagesRequest>(
                  Field(1, Field(kLoras, Field(1, "x")) + Field(kLoras, Field(1, kLatin1)))),
              ElementsAre("loras[1].name"));
}

TEST(MessageBytesTest, ManyBadTextsAreNotAllNamed) {
  std::string batch;
  for (int i = 0; i < 256; ++i) batch.append(Field(1, Field(kPrompt, kLatin1)));
  EXPECT_EQ(Named<v1::BatchSubmitRequest>(batch).size(), 8u);
}

TEST(MessageBytesTest, WhatIsNoMessageIsCalledThat) {
  for (const std::string& bytes :
       {std::string("no protobuf at all"), std::string("\x0a\xff\xff\xff\xff\x0f"),
        Field(1, Field(kPrompt, "cut")).substr(0, 4), Field(1, "\x0a\x7f"),
        std::string(1000, '\x0b')}) {
    v1::SubmitRequest request;
    const Status status = ParseMessage(Buffer(bytes), &request);
    EXPECT_EQ(status, InvalidArgument("the message is no phasor.v1.SubmitRequest"));
  }
}

// Over the wire, from a client that sends what it likes.
class RawClientTest : public GatewayFixture {
 protected:
  Status Send(const std::string& method, const std::string& bytes) {
    const auto channel = *rpc::MakeChannel({.address = gateway_->address()});
    const grpc::ByteBuffer request = Buffer(bytes);
    const auto call = Call();
    const std::string path = "/phasor.v1.Images/" + method;
    grpc::ByteBuffer reply;
    if (method != "Generate") {
      const grpc::internal::RpcMethod unary(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
      return rpc::FromGrpc(grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
          channel.get(), unary, call.get(), request, &reply));
    }
    const grpc::internal::RpcMethod stream(path.c_str(),
                                           grpc::internal::RpcMethod::SERVER_STREAMING);
    const std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
        grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(channel.get(), stream,
                                                                      call.get(), request));
    while (reader->Read(&reply)) continue;
    return rpc::FromGrpc(reader->Finish());
  }
};

TEST_F(RawClientTest, AClientThatSendsLatin1IsToldWhichField) {
  const std::string one = Field(1, Field(kPrompt, kLatin1));
  for (const auto& [method, field] :
       {std::pair("Submit", "prompt"), std::pair("Generate", "prompt"),
        std::pair("BatchSubmit", "requests[0].prompt")}) {
    const Status status = Send(method, one);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << method << ": " << status;
    EXPECT_THAT(Message(status), testing::HasSubstr(std::string(field) + " must be UTF-8"))
        << method;
    const auto violations = rpc::FieldViolationsOf(status);
    ASSERT_EQ(violations.size(), 1u) << method;
    EXPECT_EQ(violations[0].field, field);
  }
  EXPECT_EQ(fleet_.queue.Stats()->live, 0);
}

TEST_F(RawClientTest, WhatIsNoProtobufIsAnInvalidArgumentAndTheGatewayLivesOn) {
  for (const char* method : {"Submit", "BatchSubmit", "Generate"}) {
    const Status status = Send(method, "no protobuf at all");
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << method << ": " << status;
    EXPECT_THAT(Message(status), testing::HasSubstr("the message is no phasor.v1.")) << method;
  }
  EXPECT_TRUE(Submit().ok());
}

}  // namespace
}  // namespace phasor::gateway
