// The committed corpora (tests/corpus): every prompt has exactly the ids that the reference gives.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/tokenizers/clip_tokenizer.h"

namespace phasor::engine {
namespace {

std::string SourcePath(const std::string& path) {
  const char* source = std::getenv("PHASOR_SOURCE_DIR");
  return std::string(source == nullptr ? "." : source) + "/" + path;
}

void ExpectCorpus(const std::string& tokenizer_folder, const std::string& corpus) {
  StatusOr<ClipTokenizer> tokenizer = ClipTokenizer::Load(SourcePath(tokenizer_folder));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  std::ifstream file(SourcePath(corpus));
  int prompts = 0;
  int wrong = 0;
  for (std::string line; std::getline(file, line); ++prompts) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    const auto text = entry["text"].get<std::string>();
    const auto expected = entry["ids"].get<std::vector<int64_t>>();
    const std::vector<int64_t> ids = tokenizer->Encode(text);
    if (ids == expected) continue;
    if (++wrong > 5) continue;
    EXPECT_EQ(ids, expected) << corpus << ": " << entry["text"].dump();
  }
  EXPECT_GE(prompts, 2000);
  EXPECT_EQ(wrong, 0);
}

TEST(ClipTokenizerCorpusTest, MatchesTheReferenceOnTheDemoVocabulary) {
  ExpectCorpus("models/phasor-demo/tokenizer", "tests/corpus/clip_prompts.jsonl");
}

TEST(ClipTokenizerCorpusTest, MatchesTheReferenceOnTheSecondVocabulary) {
  ExpectCorpus("tests/corpus/vocab2", "tests/corpus/vocab2/clip_prompts.jsonl");
}

}  // namespace
}  // namespace phasor::engine
