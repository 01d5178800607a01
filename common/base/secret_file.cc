#include "common/base/secret_file.h"

#include "common/base/file.h"

namespace phasor {
namespace {

constexpr size_t kMaxSecret = 64 << 10;

}  // namespace

StatusOr<std::string> ReadSecretFile(const std::string& path) {
  auto text = ReadFile(path, kMaxSecret);
  if (!text.ok()) return Unavailable(Message(text.status()));
  const size_t end = text->find_last_not_of("\r\n");
  text->resize(end == std::string::npos ? 0 : end + 1);
  if (text->empty()) return Unavailable(path + " is empty");
  for (const char c : *text) {
    if (static_cast<unsigned char>(c) < 0x20) return Unavailable(path + " has several lines");
  }
  return text;
}

}  // namespace phasor
