#include "services/cli/output_files.h"

#include <cctype>
#include <filesystem>

#include "common/base/file.h"

namespace phasor::cli {

namespace fs = std::filesystem;

std::string Slug(const std::string& prompt) {
  constexpr size_t kMost = 60;
  std::string slug;
  for (const unsigned char c : prompt) {
    if (slug.size() >= kMost) break;
    if (std::isalnum(c) != 0) {
      slug += static_cast<char>(std::tolower(c));
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug.empty() ? "picture" : slug;
}

std::vector<std::string> OutputNames(const std::string& output, const std::string& directory,
                                     const std::string& prompt,
                                     const std::vector<v1::ImageResult>& pictures) {
  std::vector<std::string> names;
  for (const v1::ImageResult& picture : pictures) {
    if (output.empty()) {
      const std::string name = Slug(prompt) + "-" + std::to_string(picture.seed()) + ".png";
      names.push_back((fs::path(directory) / name).lexically_normal());
      continue;
    }
    fs::path path(output);
    if (pictures.size() > 1) {
      const std::string stem = path.stem().string() + "-" + std::to_string(names.size() + 1);
      path.replace_filename(stem + path.extension().string());
    }
    names.push_back(path);
  }
  return names;
}

Status WriteOutput(const std::string& path, const std::string& bytes) {
  const std::string folder = fs::path(path).parent_path();
  if (!folder.empty()) RETURN_IF_ERROR(MakeDirectories(folder));
  return WriteFileDurably(path, bytes);
}

}  // namespace phasor::cli
