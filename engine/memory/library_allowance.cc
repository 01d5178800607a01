#include "engine/memory/library_allowance.h"

#include <charconv>
#include <optional>

namespace phasor::engine {
namespace {

constexpr uint64_t kKiB = 1024, kMiB = kKiB * kKiB;
constexpr uint64_t kMost = uint64_t{1} << 20;  // of any number here: more is no workspace
constexpr uint64_t kWorkspaces = 2;            // cuBLAS's and cuBLASLt's

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stopped != end || number > kMost) return std::nullopt;
  return number;
}

// Up to the next colon, which goes too.
std::string_view Next(std::string_view* text) {
  const size_t colon = text->find(':');
  const std::string_view word = text->substr(0, colon);
  text->remove_prefix(colon == std::string_view::npos ? text->size() : colon + 1);
  return word;
}

// Bytes of ":4096:2:16:8": two pieces of 4096 KiB and eight of 16.
std::optional<uint64_t> WorkspaceOf(std::string_view config) {
  if (!config.starts_with(':')) return std::nullopt;
  config.remove_prefix(1);
  uint64_t bytes = 0;
  do {
    const std::optional<uint64_t> kib = Number(Next(&config));
    const std::optional<uint64_t> pieces = Number(Next(&config));
    if (!kib || !pieces) return std::nullopt;
    bytes += *kib * *pieces * kKiB;
  } while (!config.empty());
  return bytes;
}

}  // namespace

LibraryAllowance AllowanceOf(std::string_view cublas, std::string_view cudnn_mib) {
  const uint64_t workspace =
      WorkspaceOf(cublas).value_or(WorkspaceOf(kCublasWorkspace).value_or(0));
  const uint64_t mib = Number(cudnn_mib).value_or(Number(kCudnnWorkspace).value_or(0));
  return {.products = kWorkspaces * workspace, .convolutions = mib * kMiB};
}

}  // namespace phasor::engine
