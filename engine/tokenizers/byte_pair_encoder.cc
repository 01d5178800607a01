#include "engine/tokenizers/byte_pair_encoder.h"

#include <functional>
#include <queue>
#include <utility>

#include "engine/tokenizers/unicode.h"

namespace phasor::engine {
namespace {

constexpr int32_t kUnknown = -1;
constexpr int32_t kGone = -2;  // merged into its left neighbour

struct Symbol {
  int32_t id;
  int32_t previous;
  int32_t next;  // -1 at the end
};

// A possible merge: its rank, then its place, in one number, so that smaller is sooner.
uint64_t Candidate(uint32_t rank, int32_t position) {
  return uint64_t{rank} << 32 | static_cast<uint32_t>(position);
}

uint64_t PairKey(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

int32_t IdOf(const BytePairEncoder::Vocabulary& vocabulary, const std::string& symbol) {
  auto it = vocabulary.find(symbol);
  return it == vocabulary.end() ? kUnknown : static_cast<int32_t>(it->second);
}

}  // namespace

char32_t ByteSymbol(unsigned char byte) {
  const auto printable = [](unsigned b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  };
  if (printable(byte)) return byte;
  char32_t symbol = 0x100;
  for (unsigned b = 0; b < byte; ++b) symbol += printable(b) ? 0 : 1;
  return symbol;
}

StatusOr<BytePairEncoder> BytePairEncoder::Make(const Vocabulary& vocabulary, const Merges& merges,
                                                const std::string& suffix, int64_t unknown_id) {
  BytePairEncoder encoder;
  encoder.unknown_id_ = unknown_id;
  for (unsigned b = 0; b < 256; ++b) {
    std::string symbol;
    AppendUtf8(ByteSymbol(static_cast<unsigned char>(b)), symbol);
    encoder.inner_[b] = IdOf(vocabulary, symbol);
    encoder.last_[b] = IdOf(vocabulary, symbol + suffix);
  }
  encoder.merges_.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const int32_t left_id = IdOf(vocabulary, left);
    const int32_t right_id = IdOf(vocabulary, right);
    const int32_t merged = IdOf(vocabulary, left + right);
    if (left_id == kUnknown || right_id == kUnknown || merged == kUnknown) {
      return InvalidArgument("merge " + std::to_string(rank + 1) + " (\"" + left.substr(0, 40) +
                             " " + right.substr(0, 40) +
                             "\") names a symbol that is not in the vocabulary");
    }
    encoder.merges_[PairKey(left_id, right_id)] = {static_cast<uint32_t>(rank), merged};
    encoder.merged_by_rank_.push_back(merged);
  }
  return encoder;
}

const BytePairEncoder::Merge* BytePairEncoder::FindMerge(int32_t left, int32_t right) const {
  auto it = merges_.find(PairKey(left, right));
  return it == merges_.end() ? nullptr : &it->second;
}

void BytePairEncoder::Encode(std::string_view word, std::vector<int64_t>& ids) const {
  const auto count = static_cast<int32_t>(word.size());
  std::vector<Symbol> symbols(word.size());
  for (int32_t i = 0; i < count; ++i) {
    const auto byte = static_cast<unsigned char>(word[static_cast<size_t>(i)]);
    const int32_t id = i + 1 == count ? last_[byte] : inner_[byte];
    symbols[static_cast<size_t>(i)] = {id, i - 1, i + 1 == count ? -1 : i + 1};
  }
  const auto merge_at = [&](int32_t position) -> const Merge* {
    const Symbol& left = symbols[static_cast<size_t>(position)];
    if (left.next < 0) return nullptr;
    return FindMerge(left.id, symbols[static_cast<size_t>(left.next)].id);
  };
  std::vector<uint64_t> first;
  for (int32_t i = 0; i < count; ++i) {
    if (const Merge* merge = merge_at(i)) first.push_back(Candidate(merge->rank, i));
  }
  std::priority_queue queue(std::greater<uint64_t>(), std::move(first));
  const auto consider = [&](int32_t position) {
    if (const Merge* merge = merge_at(position)) queue.push(Candidate(merge->rank, position));
  };
  while (!queue.empty()) {
    const auto rank = static_cast<size_t>(queue.top() >> 32);
    const auto position = static_cast<int32_t>(queue.top() & 0xFFFFFFFF);
    queue.pop();
    Symbol& left = symbols[static_cast<size_t>(position)];
    if (left.id == kGone) continue;
    // An entry holds as long as the pair that stands here now gives the same symbol.
    const Merge* merge = merge_at(position);
    if (merge == nullptr || merge->id != merged_by_rank_[rank]) continue;
    Symbol& right = symbols[static_cast<size_t>(left.next)];
    left.id = merge->id;
    left.next = right.next;
    right.id = kGone;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = position;
    if (left.previous >= 0) consider(left.previous);
    consider(position);
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.id == kGone) continue;
    ids.push_back(symbol.id == kUnknown ? unknown_id_ : symbol.id);
  }
}

}  // namespace phasor::engine
