#include "engine/tokenizers/unicode.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/tokenizers/unicode_tables.h"

namespace phasor::engine {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kDottedI = 0x130;
constexpr char32_t kFirstComposable = 0x300;  // below it, form C changes nothing

// Hangul arithmetic, Unicode Standard section 3.12.
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr char32_t kLeadCount = 19, kVowelCount = 21, kTailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTailCount;

// The entry of a table sorted by `first` whose range holds the code, or nullptr.
template <typename Range>
const Range* FindRange(std::span<const Range> table, char32_t code) {
  auto it = std::upper_bound(table.begin(), table.end(), code,
                             [](char32_t c, const Range& range) { return c < range.first; });
  if (it == table.begin() || code > std::prev(it)->last) return nullptr;
  return &*std::prev(it);
}

bool Holds(const CodeRange* table, size_t count, char32_t code) {
  return FindRange(std::span(table, count), code) != nullptr;
}

uint8_t CombiningClass(char32_t code) {
  if (code < kFirstComposable) return 0;
  const CombiningRun* run = FindRange(std::span(kCombiningRuns, kCombiningRunsCount), code);
  return run == nullptr ? 0 : run->combining_class;
}

struct Mark {
  char32_t code;
  uint8_t combining_class;
};

void AppendDecomposed(char32_t code, std::vector<Mark>& out) {
  if (code - kSyllables < kSyllableCount) {
    const char32_t index = code - kSyllables;
    const char32_t tail = index % kTailCount;
    out.push_back({kLeads + index / (kVowelCount * kTailCount), 0});
    out.push_back({kVowels + index % (kVowelCount * kTailCount) / kTailCount, 0});
    if (tail != 0) out.push_back({kTails + tail, 0});
    return;
  }
  const std::span table(kDecompositions, kDecompositionsCount);
  auto it = std::lower_bound(table.begin(), table.end(), code,
                             [](const Decomposition& d, char32_t c) { return d.code < c; });
  if (it == table.end() || it->code != code) {
    out.push_back({code, CombiningClass(code)});
    return;
  }
  AppendDecomposed(it->first, out);
  if (it->second != 0) AppendDecomposed(it->second, out);
}

// Canonical order: marks between two starters by class, equal classes as they stand.
void Reorder(std::vector<Mark>& marks) {
  auto begin = marks.begin();
  while (begin != marks.end()) {
    if (begin->combining_class == 0) {
      ++begin;
      continue;
    }
    auto end = std::find_if(begin, marks.end(), [](Mark m) { return m.combining_class == 0; });
    std::stable_sort(begin, end,
                     [](Mark a, Mark b) { return a.combining_class < b.combining_class; });
    begin = end;
  }
}

// The composition of two characters, or 0.
char32_t Compose(char32_t first, char32_t second) {
  if (first - kLeads < kLeadCount && second - kVowels < kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTailCount;
  }
  if (first - kSyllables < kSyllableCount && (first - kSyllables) % kTailCount == 0 &&
      second > kTails && second < kTails + kTailCount) {
    return first + (second - kTails);
  }
  static const auto* const kPairs = [] {
    auto* pairs = new std::unordered_map<uint64_t, char32_t>();
    for (const Decomposition& d : std::span(kDecompositions, kDecompositionsCount)) {
      if (d.composes) pairs->emplace(uint64_t{d.first} << 32 | d.second, d.code);
    }
    return pairs;
  }();
  auto it = kPairs->find(uint64_t{first} << 32 | second);
  return it == kPairs->end() ? 0 : it->second;
}

std::u32string Recompose(const std::vector<Mark>& marks) {
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::u32string out;
  size_t starter = kNone;   // where in `out` the last starter stands
  int previous_class = -1;  // of the last character kept after it; -1: none
  for (const Mark& mark : marks) {
    const bool reachable = starter != kNone && previous_class < int{mark.combining_class};
    const char32_t composed = reachable ? Compose(out[starter], mark.code) : 0;
    if (composed != 0) {
      out[starter] = composed;
      continue;
    }
    if (mark.combining_class == 0) {
      starter = out.size();
      previous_class = -1;
    } else {
      previous_class = mark.combining_class;
    }
    out.push_back(mark.code);
  }
  return out;
}

// Length of the sequence at the front of `text` and its code point; of an invalid one, the bytes
// that could have begun a sequence (Unicode Standard, table 3-7).
struct Decoded {
  char32_t code;
  size_t length;
};

Decoded DecodeOne(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xC2 || lead > 0xF4) return {kReplacement, 1};
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t code = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size()) return {kReplacement, i};
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (i == 1 && lead == 0xE0) low = 0xA0;
    if (i == 1 && lead == 0xED) high = 0x9F;
    if (i == 1 && lead == 0xF0) low = 0x90;
    if (i == 1 && lead == 0xF4) high = 0x8F;
    if (byte(i) < low || byte(i) > high) return {kReplacement, i};
    code = code << 6 | (byte(i) & 0x3F);
  }
  return {code, length};
}

}  // namespace

std::u32string DecodeUtf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded decoded = DecodeOne(text);
    out.push_back(decoded.code);
    text.remove_prefix(decoded.length);
  }
  return out;
}

void AppendUtf8(char32_t code, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  const auto tail = [&](int shift) { put(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    put(0xF0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool IsLetter(char32_t code) { return Holds(kLetters, kLettersCount, code); }
bool IsNumber(char32_t code) { return Holds(kNumbers, kNumbersCount, code); }
bool IsSpace(char32_t code) { return Holds(kSpaces, kSpacesCount, code); }
bool IsWord(char32_t code) { return Holds(kWords, kWordsCount, code); }

void AppendLower(char32_t code, std::u32string& out) {
  if (code == kDottedI) {
    out += U"i\u0307";
    return;
  }
  const LowerRun* run = FindRange(std::span(kLowerRuns, kLowerRunsCount), code);
  if (run != nullptr && (code - run->first) % run->step == 0) {
    code = static_cast<char32_t>(static_cast<int32_t>(code) + run->delta);
  }
  out.push_back(code);
}

std::u32string NormalizeNfc(std::u32string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char32_t c) { return c < kFirstComposable; })) {
    return std::u32string(text);
  }
  std::vector<Mark> marks;
  marks.reserve(text.size());
  for (char32_t code : text) AppendDecomposed(code, marks);
  Reorder(marks);
  return Recompose(marks);
}

}  // namespace phasor::engine
