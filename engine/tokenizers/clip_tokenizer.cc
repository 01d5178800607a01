#include "engine/tokenizers/clip_tokenizer.h"

#include <limits>
#include <utility>

#include "engine/tokenizers/added_tokens.h"
#include "engine/tokenizers/byte_pair_encoder.h"
#include "engine/tokenizers/clip_pieces.h"
#include "engine/tokenizers/clip_vocabulary.h"
#include "engine/tokenizers/unicode.h"

namespace phasor::engine {
namespace {

constexpr char kEndOfWord[] = "</w>";

// Those of the added tokens that are looked for in the raw or in the normalised text.
AddedTokenMatcher MakeMatcher(const ClipVocabulary& vocabulary, bool normalized) {
  std::vector<AddedTokenMatcher::Pattern> patterns;
  for (const AddedToken& token : vocabulary.added) {
    if (token.normalized != normalized) continue;
    if (token.special && vocabulary.split_special_tokens) continue;
    const std::u32string content = DecodeUtf8(token.content);
    patterns.push_back({normalized ? NormalizeClipText(content) : content, token});
  }
  return AddedTokenMatcher(std::move(patterns));
}

}  // namespace

struct ClipTokenizer::Impl {
  BytePairEncoder encoder;
  AddedTokenMatcher raw;
  AddedTokenMatcher normalized;
  int64_t begin_id, end_id, pad_id;
  int max_length;
  bool pad_left;

  // The ids of the text alone; stops once there are `enough`.
  std::vector<int64_t> EncodeText(std::string_view text, size_t enough) const {
    std::vector<int64_t> ids;
    const std::u32string decoded = DecodeUtf8(text);
    for (const TextSpan& span : raw.Split(decoded)) {
      if (ids.size() >= enough) break;
      if (span.id) {
        ids.push_back(*span.id);
      } else {
        EncodeSegment(NormalizeClipText(span.text), enough, ids);
      }
    }
    return ids;
  }

  void EncodeSegment(std::u32string_view segment, size_t enough, std::vector<int64_t>& ids) const {
    for (const TextSpan& span : normalized.Split(segment)) {
      if (ids.size() >= enough) return;
      if (span.id) {
        ids.push_back(*span.id);
        continue;
      }
      ForEachClipPiece(span.text, [&](std::u32string_view piece) {
        std::string bytes;
        for (char32_t code : piece) AppendUtf8(code, bytes);
        encoder.Encode(bytes, ids);
        return ids.size() < enough;
      });
    }
  }
};

ClipTokenizer::ClipTokenizer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
ClipTokenizer::ClipTokenizer(ClipTokenizer&&) noexcept = default;
ClipTokenizer& ClipTokenizer::operator=(ClipTokenizer&&) noexcept = default;
ClipTokenizer::~ClipTokenizer() = default;

StatusOr<ClipTokenizer> ClipTokenizer::Load(const std::string& directory) {
  ASSIGN_OR_RETURN(const ClipVocabulary vocabulary, LoadClipVocabulary(directory));
  StatusOr<BytePairEncoder> encoder = BytePairEncoder::Make(
      vocabulary.vocabulary, vocabulary.merges, kEndOfWord, vocabulary.unknown_id);
  if (!encoder.ok()) return Annotate(encoder.status(), directory);
  return ClipTokenizer(std::make_unique<const Impl>(
      Impl{*std::move(encoder), MakeMatcher(vocabulary, false), MakeMatcher(vocabulary, true),
           vocabulary.begin_id, vocabulary.end_id, vocabulary.pad_id, vocabulary.max_length,
           vocabulary.pad_left}));
}

std::vector<int64_t> ClipTokenizer::Encode(std::string_view text) const {
  const auto length = static_cast<size_t>(impl_->max_length);
  std::vector<int64_t> content = impl_->EncodeText(text, length - 2);
  if (content.size() > length - 2) content.resize(length - 2);
  const size_t padding = length - 2 - content.size();
  std::vector<int64_t> ids;
  ids.reserve(length);
  if (impl_->pad_left) ids.insert(ids.end(), padding, impl_->pad_id);
  ids.push_back(impl_->begin_id);
  ids.insert(ids.end(), content.begin(), content.end());
  ids.push_back(impl_->end_id);
  if (!impl_->pad_left) ids.insert(ids.end(), padding, impl_->pad_id);
  return ids;
}

int ClipTokenizer::CountTokens(std::string_view text) const {
  return static_cast<int>(impl_->EncodeText(text, std::numeric_limits<size_t>::max()).size());
}

int ClipTokenizer::max_length() const { return impl_->max_length; }

int64_t ClipTokenizer::end_token() const { return impl_->end_id; }

}  // namespace phasor::engine
