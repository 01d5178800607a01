// The files of a CLIP tokenizer folder: tokenizer.json, or vocab.json and merges.txt, with
// tokenizer_config.json, special_tokens_map.json and added_tokens.json, by the precedence of
// transformers 5.5.4 (tokenization_utils_base.py, tokenization_utils_tokenizers.py).
//
// Values. Of tokenizer.json only vocabulary, merges and added tokens count, as in the reference.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "engine/tokenizers/added_tokens.h"
#include "engine/tokenizers/byte_pair_encoder.h"

namespace phasor::engine {

struct ClipVocabulary {
  BytePairEncoder::Vocabulary vocabulary;
  BytePairEncoder::Merges merges;
  std::vector<AddedToken> added;  // every special token is among them; ids are set
  int64_t begin_id = 0;
  int64_t end_id = 0;
  int64_t unknown_id = 0;
  int64_t pad_id = 0;
  int max_length = 77;
  bool pad_left = false;
  bool split_special_tokens = false;  // special tokens are not looked for in the text
};

// NOT_FOUND if neither form of vocabulary is there; INVALID_ARGUMENT names file and reason.
StatusOr<ClipVocabulary> LoadClipVocabulary(const std::string& directory);

}  // namespace phasor::engine
