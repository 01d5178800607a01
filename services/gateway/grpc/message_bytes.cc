#include "services/gateway/grpc/message_bytes.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "common/base/field_violation.h"
#include "common/base/utf8.h"
#include "common/rpc/status_details.h"

namespace phasor::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr size_t kMaxViolations = 8;             // they travel in a trailer
constexpr std::string_view kAround = "request";  // what carries the fields that are named

std::string PathOf(const std::string& prefix, const FieldDescriptor& field, int index) {
  if (prefix.empty() && field.name() == kAround) return "";
  std::string path = prefix;
  if (!path.empty()) path.append(".");
  path.append(field.name());
  if (field.is_repeated()) path.append("[").append(std::to_string(index)).append("]");
  return path;
}

// Reads the bytes without minding what is in the fields. False: they are no message of the type.
bool FindBadTexts(const Descriptor& type, const std::string& bytes, const std::string& prefix,
                  std::vector<FieldViolation>* found) {
  UnknownFieldSet fields;
  if (!fields.ParseFromString(bytes)) return false;
  std::map<int, int> seen;  // of each field, so far
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* known = type.FindFieldByNumber(field.number());
    if (known == nullptr || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    const std::string path = PathOf(prefix, *known, seen[field.number()]++);
    const std::string& content = field.length_delimited();
    if (known->type() == FieldDescriptor::TYPE_MESSAGE) {
      if (!FindBadTexts(*known->message_type(), content, path, found)) return false;
    } else if (known->type() == FieldDescriptor::TYPE_STRING && !IsUtf8Text(content) &&
               found->size() < kMaxViolations) {
      found->push_back({path, kUtf8Rule});
    }
  }
  return true;
}

}  // namespace

Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::ByteBuffer same = bytes;  // shares what it holds; the reader wants one of its own
  grpc::ProtoBufferReader reader(&same);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) return OkStatus();
  grpc::Slice slice;
  std::vector<FieldViolation> found;
  const Descriptor& type = *message->GetDescriptor();
  const bool is_message =
      bytes.DumpToSingleSlice(&slice).ok() &&
      FindBadTexts(type, {reinterpret_cast<const char*>(slice.begin()), slice.size()}, "", &found);
  if (is_message && !found.empty()) return rpc::InvalidFields(found);
  return InvalidArgument("the message is no " + type.full_name());
}

grpc::ByteBuffer ToBytes(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  // Fails only for what exceeds 2 GiB, and then gRPC sends no such message.
  (void)grpc::GenericSerialize<grpc::ProtoBufferWriter, google::protobuf::Message>(message, &bytes,
                                                                                   &own);
  return bytes;
}

}  // namespace phasor::gateway
