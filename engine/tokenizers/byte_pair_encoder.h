// Byte-level byte-pair encoding of single words (Sennrich et al. 2016, arXiv:1508.07909), as
// `tokenizers` 0.22.2 models/bpe: always the pair of lowest rank, leftmost on ties.
//
// Immutable after construction, thread-safe. n log n in the length of a word.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/status.h"

namespace phasor::engine {

// The printable character that stands for a byte in byte-level vocabularies.
char32_t ByteSymbol(unsigned char byte);

class BytePairEncoder {
 public:
  using Vocabulary = std::unordered_map<std::string, int64_t>;
  using Merges = std::vector<std::pair<std::string, std::string>>;

  // `suffix` closes a word's last symbol ("</w>"). INVALID_ARGUMENT naming the merge whose parts
  // or result are not in the vocabulary. Symbols that the vocabulary lacks become `unknown_id`.
  static StatusOr<BytePairEncoder> Make(const Vocabulary& vocabulary, const Merges& merges,
                                        const std::string& suffix, int64_t unknown_id);

  // Appends the ids of one word, given as UTF-8 bytes.
  void Encode(std::string_view word, std::vector<int64_t>& ids) const;

 private:
  struct Merge {
    uint32_t rank;
    int32_t id;
  };
  const Merge* FindMerge(int32_t left, int32_t right) const;

  std::array<int32_t, 256> inner_{};  // id of a byte's symbol; kUnknown if there is none
  std::array<int32_t, 256> last_{};   // ... with the suffix
  std::unordered_map<uint64_t, Merge> merges_;
  std::vector<int32_t> merged_by_rank_;
  int64_t unknown_id_ = 0;
};

}  // namespace phasor::engine
