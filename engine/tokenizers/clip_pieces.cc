#include "engine/tokenizers/clip_pieces.h"

#include <initializer_list>

#include "engine/tokenizers/unicode.h"

namespace phasor::engine {
namespace {

constexpr std::u32string_view kOpening = U"<|";
constexpr std::u32string_view kClosing = U"|>";

bool IsOther(char32_t code) { return !IsSpace(code) && !IsLetter(code) && !IsNumber(code); }

// The name inside a literal special token at the front of `text`, or empty.
std::u32string_view SpecialName(std::u32string_view text) {
  for (std::u32string_view name : {U"startoftext", U"endoftext"}) {
    if (text.starts_with(kOpening) && text.substr(kOpening.size()).starts_with(name) &&
        text.substr(kOpening.size() + name.size()).starts_with(kClosing)) {
      return text.substr(kOpening.size(), name.size());
    }
  }
  return {};
}

size_t ContractionLength(std::u32string_view text) {
  if (text.front() != U'\'') return 0;
  for (std::u32string_view ending : {U"s", U"t", U"re", U"ve", U"m", U"ll", U"d"}) {
    if (text.substr(1).starts_with(ending)) return 1 + ending.size();
  }
  return 0;
}

template <typename Predicate>
size_t RunLength(std::u32string_view text, Predicate belongs) {
  size_t length = 1;
  while (length < text.size() && belongs(text[length])) ++length;
  return length;
}

size_t PieceLength(std::u32string_view text) {
  if (const size_t contraction = ContractionLength(text)) return contraction;
  if (IsLetter(text.front())) return RunLength(text, IsLetter);
  if (IsNumber(text.front())) return 1;
  return RunLength(text, IsOther);
}

}  // namespace

std::u32string NormalizeClipText(std::u32string_view text) {
  const std::u32string composed = NormalizeNfc(text);
  std::u32string out;
  out.reserve(composed.size());
  bool in_space = false;
  for (char32_t code : composed) {
    const bool space = IsSpace(code);
    if (!space) {
      AppendLower(code, out);
    } else if (!in_space) {
      out.push_back(U' ');
    }
    in_space = space;
  }
  return out;
}

void ForEachClipPiece(std::u32string_view text,
                      const std::function<bool(std::u32string_view)>& visit) {
  while (!text.empty()) {
    if (IsSpace(text.front())) {
      text.remove_prefix(1);
      continue;
    }
    // A special token that lower-casing made is no token: the byte-level stage cuts it in three.
    if (const std::u32string_view name = SpecialName(text); !name.empty()) {
      if (!visit(kOpening) || !visit(name) || !visit(kClosing)) return;
      text.remove_prefix(kOpening.size() + name.size() + kClosing.size());
      continue;
    }
    const size_t length = PieceLength(text);
    if (!visit(text.substr(0, length))) return;
    text.remove_prefix(length);
  }
}

}  // namespace phasor::engine
