#include "services/cli/text/output_files.h"

#include <cctype>
#include <filesystem>
#include <utility>

#include "common/base/file.h"
#include "common/base/user_file.h"

namespace phasor::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxSlug = 60;  // bytes

// Of a character that has begun before `end`.
bool IsContinuation(const std::string& text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

std::string Numbered(const std::string& output, size_t number) {
  fs::path path(output);
  path.replace_filename(path.stem().string() + "-" + std::to_string(number) +
                        path.extension().string());
  return path;
}

bool HoldsOtherBytes(const std::string& path, const std::string& bytes) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return false;
  const auto content = ReadFile(path, bytes.size());
  return !content.ok() || *content != bytes;
}

}  // namespace

std::string Slug(const std::string& prompt) {
  std::string slug;
  for (const char c : prompt) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      slug += c;
    } else if (std::isalnum(byte) != 0) {
      slug += static_cast<char>(std::tolower(byte));
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  size_t end = std::min(slug.size(), kMaxSlug);
  while (end > 0 && IsContinuation(slug, end)) --end;
  slug.resize(end);
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug.empty() ? "picture" : slug;
}

std::string OutputFiles::FreeName(const std::string& prompt, const v1::ImageResult& picture) {
  const std::string file = Slug(prompt) + "-" + std::to_string(picture.seed()) + ".png";
  const std::string name = (fs::path(directory_) / file).lexically_normal();
  std::string candidate = name;
  for (size_t number = 2; used_.count(candidate) > 0 || HoldsOtherBytes(candidate, picture.data());
       ++number) {
    candidate = Numbered(name, number);
  }
  used_.insert(candidate);
  return candidate;
}

StatusOr<std::vector<std::string>> OutputFiles::Write(
    const std::string& prompt, const std::vector<v1::ImageResult>& pictures) {
  std::vector<std::string> names;
  for (const v1::ImageResult& picture : pictures) {
    if (output_.empty()) {
      names.push_back(FreeName(prompt, picture));
    } else {
      names.push_back(pictures.size() == 1 ? output_ : Numbered(output_, names.size() + 1));
    }
    RETURN_IF_ERROR(WriteOutput(names.back(), picture.data()));
  }
  return names;
}

Status WriteOutput(const std::string& path, const std::string& bytes) {
  const std::string folder = fs::path(path).parent_path();
  if (!folder.empty()) {
    const Status made = MakeDirectories(folder);
    if (!made.ok()) return MakeStatus(StatusCode::kUnknown, Message(made));
  }
  return WriteUserFile(path, bytes);
}

}  // namespace phasor::cli
