#include "engine/api/compute_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/byte_size.h"

namespace phasor::engine {
namespace {

constexpr char kAuto[] = "auto";
constexpr uint64_t kMostLibraries = uint64_t{1} << 50;

}  // namespace

std::string ComputeSwitch::flag() const {
  std::string flag = absl::StrCat("--", key);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

const std::vector<ComputeSwitch>& ComputeSwitches() {
  static const auto* const switches = new std::vector<ComputeSwitch>{
      {.key = "tf32",
       .words = {kAuto, "on", "off"},
       .help = "products of fp32 on cards in TF32: faster, 10 bits of fraction; auto: off",
       .takes_size = false,
       .word = &ComputeOptions::tf32},
      {.key = "attention",
       .words = {kAuto, "flash", "efficient", "math", "cudnn"},
       .help = "which kernels of attention go first where they take the size of the heads; auto: "
               "flash, then efficient",
       .takes_size = false,
       .word = &ComputeOptions::attention},
      {.key = "channels_last",
       .words = {kAuto, "on", "off"},
       .help = "the order in memory that convolutions on cards compute in; auto: on",
       .takes_size = false,
       .word = &ComputeOptions::channels_last},
      {.key = "library_memory",
       .words = {kAuto},
       .help = "what plans leave to a card's libraries beside tensors; auto: what these are told "
               "they may take",
       .takes_size = true,
       .word = &ComputeOptions::library_memory},
  };
  return *switches;
}

std::string WordOf(const ComputeOptions& options, std::string ComputeOptions::*word) {
  return (options.*word).empty() ? kAuto : options.*word;
}

std::optional<uint64_t> LibraryBytes(const ComputeOptions& options) {
  const auto bytes = ParseByteSize(options.library_memory, 0, kMostLibraries);
  return bytes.ok() ? std::optional<uint64_t>(*bytes) : std::nullopt;
}

std::string ComputeSwitch::hint() const {
  return absl::StrCat(absl::StrJoin(words, ", "), takes_size ? ", SIZE: " : ": ", help);
}

Status CheckCompute(const ComputeOptions& options) {
  for (const ComputeSwitch& one : ComputeSwitches()) {
    const std::string word = WordOf(options, one.word);
    if (std::find(one.words.begin(), one.words.end(), word) != one.words.end()) continue;
    if (one.takes_size) {
      RETURN_IF_ERROR(Annotate(ParseByteSize(word, 0, kMostLibraries).status(), one.key));
      continue;
    }
    return InvalidArgument(absl::StrCat(one.key, ": must be one of ",
                                        absl::StrJoin(one.words, ", "), ", got '", word, "'"));
  }
  return OkStatus();
}

}  // namespace phasor::engine
