// Unicode data as the reference tokenizer library has it: generated, constant, sorted by code
// point. Only unicode.cc reads it. Regex classes are of Unicode 16, lower-casing of 17, and
// normalisation of 9, because the reference's parts are.
#pragma once

#include <cstddef>
#include <cstdint>

namespace phasor::engine {

struct CodeRange {
  char32_t first, last;  // inclusive
};

// first, first + step, ... last map to themselves + delta.
struct LowerRun {
  char32_t first, last;
  uint32_t step;
  int32_t delta;
};

struct CombiningRun {
  char32_t first, last;
  uint8_t combining_class;
};

// One canonical step; second is 0 for singletons. Hangul is done by arithmetic.
struct Decomposition {
  char32_t code, first, second;
  bool composes;  // the pair composes back
};

extern const CodeRange kLetters[], kNumbers[], kSpaces[], kWords[];
extern const LowerRun kLowerRuns[];
extern const CombiningRun kCombiningRuns[];
extern const Decomposition kDecompositions[];
extern const size_t kLettersCount, kNumbersCount, kSpacesCount, kWordsCount, kLowerRunsCount,
    kCombiningRunsCount, kDecompositionsCount;

}  // namespace phasor::engine
