// CLIP's byte-level BPE, exact against transformers 5.5.4 (CLIPTokenizer).
//
// Immutable after loading, thread-safe. Reads tokenizer.json if the folder has one, else
// vocab.json + merges.txt; settings from tokenizer_config.json and special_tokens_map.json.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::engine {

class ClipTokenizer {
 public:
  // NOT_FOUND / INVALID_ARGUMENT name the file and the reason.
  static StatusOr<ClipTokenizer> Load(const std::string& directory);
  ClipTokenizer(ClipTokenizer&&) noexcept;
  ClipTokenizer& operator=(ClipTokenizer&&) noexcept;
  ~ClipTokenizer();

  // Begin token, text, end token; truncated and padded to max_length().
  std::vector<int64_t> Encode(std::string_view text) const;
  // Number of tokens of the text alone, before truncation: for a warning to the user.
  int CountTokens(std::string_view text) const;
  int max_length() const;
  int64_t end_token() const;

 private:
  struct Impl;
  explicit ClipTokenizer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace phasor::engine
