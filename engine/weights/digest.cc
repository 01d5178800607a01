#include "engine/weights/digest.h"

#include <sys/stat.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::engine {
namespace {

constexpr size_t kHexSize = 64;

// What must be unchanged for a remembered digest to count; empty when the file can't be asked.
std::string Identity(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  return std::to_string(info.st_dev) + " " + std::to_string(info.st_ino) + " " +
         std::to_string(info.st_size) + " " + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

StatusOr<std::string> DigestOfFile(const std::string& path, const std::string& cache_directory,
                                   uint64_t cache_from) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  if (cache_directory.empty() || file.size() < cache_from) return Sha256Hex(file.view());

  const std::string identity = Identity(path);
  std::error_code ignored;
  const std::string full_path = std::filesystem::absolute(path, ignored);
  const std::string entry = cache_directory + "/" + Sha256Hex(full_path) + ".digest";
  const auto known = ReadFile(entry, 4096);
  if (known.ok() && known->size() == kHexSize + 1 + identity.size() &&
      known->ends_with(" " + identity)) {
    return known->substr(0, kHexSize);
  }
  const std::string digest = Sha256Hex(file.view());
  // A cache that can't be written costs time, not correctness.
  if (MakeDirectories(cache_directory).ok()) {
    WriteFileDurably(entry, digest + " " + identity).IgnoreError();
  }
  return digest;
}

}  // namespace

StatusOr<std::string> DigestOfFiles(const std::map<std::string, std::string>& files,
                                    const std::map<std::string, std::string>& expected,
                                    const std::string& cache_directory, uint64_t cache_from,
                                    const std::function<void(std::string_view label)>& on_file) {
  for (const auto& [label, ignored] : expected) {
    if (!files.contains(label)) {
      return InvalidArgument("sha256: the model reads no file named " + label);
    }
  }
  Sha256 all;
  for (const auto& [label, path] : files) {
    ASSIGN_OR_RETURN(const std::string digest, DigestOfFile(path, cache_directory, cache_from));
    const auto known = expected.find(label);
    if (known != expected.end() && known->second != digest) {
      return DataLoss(path + ": is damaged or was changed: its SHA-256 is " + digest +
                      ", the model card says " + known->second);
    }
    all.Update(label + '\0' + digest + '\n');
    if (on_file) on_file(label);
  }
  return Hex(all.Finish());
}

}  // namespace phasor::engine
