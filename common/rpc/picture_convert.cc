#include "common/rpc/picture_convert.h"

#include <limits>
#include <type_traits>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "common/picture/describe.h"

namespace phasor::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* FieldOf(const Message& message, std::string_view name) {
  return message.GetDescriptor()->FindFieldByName(std::string(name));
}

// Of the one message that carries an Owner, in the table's order: looked up once, since every
// submit goes through them.
template <typename Owner>
const std::vector<const FieldDescriptor*>& FieldsOf(const Message& message) {
  static const std::vector<const FieldDescriptor*> fields = [&] {
    std::vector<const FieldDescriptor*> found;
    for (const picture::Parameter<Owner>& parameter : picture::TableOf<Owner>()) {
      found.push_back(FieldOf(message, parameter.name));
    }
    return found;
  }();
  return fields;
}

bool IsGiven(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  if (field->is_repeated()) return reflection->FieldSize(message, field) > 0;
  return reflection->HasField(message, field);  // without presence: not the zero
}

// What has no room in a message's field.
struct Misfits {
  std::vector<FieldViolation>* violations;
  std::string prefix;
};

template <typename Owner>
void ReadAll(const Message& message, Misfits misfits, Owner* owner);

void Read(const Message& message, const FieldDescriptor* field, const Misfits&,
          std::string* value) {
  *value = message.GetReflection()->GetString(message, field);
}
void Read(const Message& message, const FieldDescriptor* field, const Misfits&, int* value) {
  *value = message.GetReflection()->GetInt32(message, field);
}
void Read(const Message& message, const FieldDescriptor* field, const Misfits&, double* value) {
  *value = message.GetReflection()->GetDouble(message, field);
}
void Read(const Message& message, const FieldDescriptor* field, const Misfits& misfits,
          uint64_t* value) {
  const int64_t number = message.GetReflection()->GetInt64(message, field);
  if (number < 0) {
    misfits.violations->push_back(
        {misfits.prefix + field->name(), "must not be negative, got " + std::to_string(number)});
  }
  *value = static_cast<uint64_t>(number);
}
void Read(const Message&, const FieldDescriptor*, const Misfits&, StoredImage*) {}
template <typename Item>
void Read(const Message& message, const FieldDescriptor* field, const Misfits& misfits,
          std::vector<Item>* items) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    items->emplace_back();
    ReadAll(reflection->GetRepeatedMessage(message, field, i),
            {misfits.violations, field->name() + "[" + std::to_string(i) + "]."}, &items->back());
  }
}

template <typename Owner>
void ReadAll(const Message& message, Misfits misfits, Owner* owner) {
  const auto& table = picture::TableOf<Owner>();
  for (size_t i = 0; i < table.size(); ++i) {
    const FieldDescriptor* const field = FieldsOf<Owner>(message)[i];
    picture::WithValue(table[i], *owner,
                       [&](auto& value) { Read(message, field, misfits, &value); });
  }
}

template <typename Owner>
void WriteAll(const Owner& owner, Message* message);

void Write(const std::string& value, const FieldDescriptor* field, Message* message) {
  message->GetReflection()->SetString(message, field, value);
}
void Write(int value, const FieldDescriptor* field, Message* message) {
  message->GetReflection()->SetInt32(message, field, value);
}
void Write(double value, const FieldDescriptor* field, Message* message) {
  message->GetReflection()->SetDouble(message, field, value);
}
void Write(uint64_t value, const FieldDescriptor* field, Message* message) {
  message->GetReflection()->SetInt64(message, field, static_cast<int64_t>(value));
}
void Write(const StoredImage&, const FieldDescriptor*, Message*) {}
template <typename Item>
void Write(const std::vector<Item>& items, const FieldDescriptor* field, Message* message) {
  for (const Item& item : items) {
    WriteAll(item, message->GetReflection()->AddMessage(message, field));
  }
}

template <typename Owner>
void WriteOne(const picture::Parameter<Owner>& parameter, const Owner& owner,
              const FieldDescriptor* field, Message* message) {
  picture::WithValue(parameter, owner, [&](const auto& value) { Write(value, field, message); });
}

template <typename Owner>
void WriteAll(const Owner& owner, Message* message) {
  static const Owner kDefaults;
  const auto& table = picture::TableOf<Owner>();
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i].planned && picture::SameValue(table[i], owner, kDefaults)) continue;
    WriteOne(table[i], owner, FieldsOf<Owner>(*message)[i], message);
  }
}

// Calls `f` with the name and the value of each picture that `spec` has room for.
template <typename Spec, typename F>
void EachImage(Spec& spec, F f) {
  f("init_image", spec.init_image);
  f("mask", spec.mask);
  for (size_t i = 0; i < spec.controls.size(); ++i) {
    f(std::string("controls[").append(std::to_string(i)).append("].image"), spec.controls[i].image);
  }
}

}  // namespace

picture::Asked AskedOf(const v1::GenerateRequest& request,
                       std::vector<FieldViolation>* violations) {
  PictureSpec spec;
  picture::Asked asked;
  const auto& table = picture::Parameters();
  for (size_t i = 0; i < table.size(); ++i) {
    const FieldDescriptor* const field = FieldsOf<PictureSpec>(request)[i];
    if (!IsGiven(request, field)) continue;
    picture::WithValue(table[i], spec, [&](auto& value) {
      Read(request, field, {violations, ""}, &value);
    });
    asked.Take(table[i], spec);
  }
  return asked;
}

v1::GenerateRequest RequestOf(const picture::Asked& asked) {
  v1::GenerateRequest request;
  for (const auto& parameter : picture::Parameters()) {
    if (!asked.Has(parameter.name)) continue;
    WriteOne(parameter, asked.values(), FieldOf(request, parameter.name), &request);
  }
  return request;
}

void Put(const PictureSpec& spec, v1::GenerateRequest* request) { WriteAll(spec, request); }

std::map<std::string, v1::StoredImage> ImagesOf(const PictureSpec& spec) {
  std::map<std::string, v1::StoredImage> images;
  EachImage(spec, [&](const std::string& name, const StoredImage& image) {
    if (image == StoredImage{}) return;
    images[name].set_sha256(image.sha256);
    images[name].set_blob(image.blob);
  });
  return images;
}

void TakeImages(const google::protobuf::Map<std::string, v1::StoredImage>& images,
                PictureSpec* spec) {
  EachImage(*spec, [&](const std::string& name, StoredImage& image) {
    const auto found = images.find(name);
    if (found != images.end()) image = {found->second.sha256(), found->second.blob()};
  });
}

void Put(const PictureSpec& defaults, v1::ModelDefaults* message) {
  for (const auto& parameter : picture::Parameters()) {
    const FieldDescriptor* const field = FieldOf(*message, parameter.name);
    if (field != nullptr) WriteOne(parameter, defaults, field, message);
  }
}

void Put(const picture::Limits& limits, v1::ModelLimits* message) {
  const auto* reflection = message->GetReflection();
  for (const picture::Limit& limit : picture::LimitTable()) {
    const FieldDescriptor* const field = FieldOf(*message, limit.name);
    const double value = picture::ValueOf(limits, limit.field);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      reflection->SetDouble(message, field, value);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      reflection->SetInt64(message, field, static_cast<int64_t>(value));
    } else {
      reflection->SetInt32(message, field, static_cast<int32_t>(value));
    }
  }
}

void Put(const PictureSpec& defaults, const picture::Limits& limits, v1::Model* model) {
  Put(defaults, model->mutable_defaults());
  Put(limits, model->mutable_limits());
  for (const picture::Description& one : picture::Describe(defaults, limits)) {
    if (one.planned) continue;
    v1::Parameter* const parameter = model->add_parameters();
    parameter->set_name(one.name);
    parameter->set_type(one.type);
    parameter->set_default_value(one.fallback);
    if (one.low) parameter->set_low(*one.low);
    if (one.high) parameter->set_high(*one.high);
    if (one.multiple) parameter->set_multiple_of(*one.multiple);
    for (const std::string& word : one.words) parameter->add_words(word);
    parameter->set_description(one.what);
  }
}

}  // namespace phasor::rpc
