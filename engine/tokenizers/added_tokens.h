// Tokens that are cut out of the text before any other rule sees it: special tokens and words
// added to a vocabulary.
//
// Immutable after construction, thread-safe. Follows `tokenizers` 0.22.2 added_vocabulary.rs:
// leftmost-longest, without overlaps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace phasor::engine {

struct AddedToken {
  std::string content;
  int64_t id = -1;
  bool special = false;
  bool normalized = false;   // matched in the normalised text instead of the raw one
  bool lstrip = false;       // swallows white space before it
  bool rstrip = false;       // ... after it
  bool single_word = false;  // not directly beside a word character
};

// A piece of the text: a token's, or text between tokens (no id).
struct TextSpan {
  std::u32string_view text;
  std::optional<int64_t> id;
};

class AddedTokenMatcher {
 public:
  struct Pattern {
    std::u32string text;  // the content as it is to be found
    AddedToken token;
  };
  explicit AddedTokenMatcher(std::vector<Pattern> patterns);

  // Cuts `text`; the spans point into it. Empty pieces are left out.
  std::vector<TextSpan> Split(std::u32string_view text) const;

 private:
  // The longest pattern at the front of `text`, or nullptr.
  const Pattern* Find(std::u32string_view text) const;

  std::vector<Pattern> patterns_;
  std::unordered_map<char32_t, std::vector<size_t>> by_first_;  // longest first
};

}  // namespace phasor::engine
