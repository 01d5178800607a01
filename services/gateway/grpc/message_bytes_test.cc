#include "services/gateway/grpc/message_bytes.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/support/sync_stream.h>
#include <gtest/gtest.h>

#include "common/rpc/status_details.h"
#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
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

// A message that has one text that is no UTF-8, and how that is named.
struct BadText {
  std::string field;
  std::string bytes;
};

// One for each text that a message of the type can have, within others to that depth.
std::vector<BadText> BadTextsOf(const Descriptor& type, int depth) {
  std::vector<BadText> texts;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string name = field.name() + (field.is_repeated() ? "[0]" : "");
    if (field.type() == FieldDescriptor::TYPE_STRING) {
      texts.push_back({name, Field(field.number(), kLatin1)});
    } else if (field.type() == FieldDescriptor::TYPE_MESSAGE && depth > 0) {
      for (const BadText& inner : BadTextsOf(*field.message_type(), depth - 1)) {
        texts.push_back({name + "." + inner.field, Field(field.number(), inner.bytes)});
      }
    }
  }
  return texts;
}

// The fields of what is submitted are named without what carries them.
std::string NameOf(const BadText& text) {
  const std::string around = "request.";
  return text.field.rfind(around, 0) == 0 ? text.field.substr(around.size()) : text.field;
}

// Over the wire, from a client that sends what it likes.
class RawClientTest : public GatewayFixture {
 protected:
  Status Send(const MethodDescriptor& method, const std::string& bytes) {
    using grpc::internal::RpcMethod;
    if (channel_ == nullptr) channel_ = *rpc::MakeChannel({.address = gateway_->address()});
    const grpc::ByteBuffer request = Buffer(bytes);
    const auto call = Call();
    const std::string path = "/" + method.service()->full_name() + "/" + method.name();
    grpc::ByteBuffer reply;
    if (method.client_streaming()) {
      const RpcMethod both(path.c_str(), RpcMethod::BIDI_STREAMING);
      const std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
          grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
              channel_.get(), both, call.get()));
      stream->Write(request);
      while (stream->Read(&reply)) continue;
      return rpc::FromGrpc(stream->Finish());
    }
    if (method.server_streaming()) {
      const RpcMethod stream(path.c_str(), RpcMethod::SERVER_STREAMING);
      const std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
          grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(channel_.get(), stream,
                                                                        call.get(), request));
      while (reader->Read(&reply)) continue;
      return rpc::FromGrpc(reader->Finish());
    }
    const RpcMethod unary(path.c_str(), RpcMethod::NORMAL_RPC);
    return rpc::FromGrpc(grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
        channel_.get(), unary, call.get(), request, &reply));
  }

  // Of all services, but for those that nobody answers.
  static std::vector<const MethodDescriptor*> Methods() {
    const std::set<std::string> unanswered = {"Load", "Unload", "Preload"};
    std::vector<const MethodDescriptor*> methods;
    for (const char* name : {"Images", "Models", "Admin", "WorkerReport"}) {
      const auto* service =
          DescriptorPool::generated_pool()->FindServiceByName(std::string("phasor.v1.") + name);
      for (int i = 0; i < service->method_count(); ++i) {
        if (unanswered.count(service->method(i)->name()) == 0) {
          methods.push_back(service->method(i));
        }
      }
    }
    return methods;
  }

  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(RawClientTest, AClientThatSendsLatin1IsToldWhichFieldByEveryMethodThatTakesATextThere) {
  std::set<std::string> asked;
  for (const MethodDescriptor* method : Methods()) {
    for (const BadText& text : BadTextsOf(*method->input_type(), 3)) {
      SCOPED_TRACE(method->full_name() + " with " + text.field);
      const Status status = Send(*method, text.bytes);
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
      EXPECT_THAT(Message(status), testing::HasSubstr(NameOf(text) + " must be UTF-8"));
      const auto violations = rpc::FieldViolationsOf(status);
      ASSERT_EQ(violations.size(), 1u);
      EXPECT_EQ(violations[0].field, NameOf(text));
      asked.insert(method->name());
    }
  }
  for (const char* name :
       {"Submit", "BatchSubmit", "Generate", "Get", "Watch", "Cancel", "List", "GetResult",
        "Redrive", "Drain", "Migrate", "DeadLetters", "SetLimits", "Report"}) {
    EXPECT_EQ(asked.count(name), 1u) << name;
  }
  EXPECT_EQ(fleet_.queue.Stats()->live, 0);
}

TEST_F(RawClientTest, WhatIsNoProtobufIsAnInvalidArgumentAndTheGatewayLivesOn) {
  for (const MethodDescriptor* method : Methods()) {
    const Status status = Send(*method, "no protobuf at all");
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << method->name() << ": " << status;
    EXPECT_THAT(Message(status), testing::HasSubstr("the message is no phasor.v1."));
  }
  EXPECT_TRUE(Submit().ok());
}

}  // namespace
}  // namespace phasor::gateway
