#include "engine/tokenizers/added_tokens.h"

#include <algorithm>
#include <utility>

#include "engine/tokenizers/unicode.h"

namespace phasor::engine {

AddedTokenMatcher::AddedTokenMatcher(std::vector<Pattern> patterns)
    : patterns_(std::move(patterns)) {
  for (size_t i = 0; i < patterns_.size(); ++i) {
    if (!patterns_[i].text.empty()) by_first_[patterns_[i].text.front()].push_back(i);
  }
  for (auto& [first, indices] : by_first_) {
    std::stable_sort(indices.begin(), indices.end(), [this](size_t a, size_t b) {
      return patterns_[a].text.size() > patterns_[b].text.size();
    });
  }
}

const AddedTokenMatcher::Pattern* AddedTokenMatcher::Find(std::u32string_view text) const {
  auto candidates = by_first_.find(text.front());
  if (candidates == by_first_.end()) return nullptr;
  for (size_t index : candidates->second) {
    if (text.starts_with(patterns_[index].text)) return &patterns_[index];
  }
  return nullptr;
}

std::vector<TextSpan> AddedTokenMatcher::Split(std::u32string_view text) const {
  std::vector<TextSpan> spans;
  size_t done = 0;
  const auto add = [&](size_t begin, size_t end, std::optional<int64_t> id) {
    if (end > begin) spans.push_back({text.substr(begin, end - begin), id});
  };
  size_t at = 0;
  while (at < text.size()) {
    const Pattern* found = Find(text.substr(at));
    if (found == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at + found->text.size();
    at = end;  // a match that is discarded below is stepped over all the same
    if (found->token.single_word &&
        ((begin > 0 && IsWord(text[begin - 1])) || (end < text.size() && IsWord(text[end])))) {
      continue;
    }
    while (found->token.lstrip && begin > done && IsSpace(text[begin - 1])) --begin;
    while (found->token.rstrip && end < text.size() && IsSpace(text[end])) ++end;
    add(done, begin, std::nullopt);
    add(begin, end, found->token.id);
    done = end;
    at = std::max(at, end);
  }
  add(done, text.size(), std::nullopt);
  return spans;
}

}  // namespace phasor::engine
