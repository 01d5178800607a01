#include "engine/tokenizers/clip_tokenizer.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/tokenizers/byte_pair_encoder.h"
#include "engine/tokenizers/unicode.h"

namespace phasor::engine {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int64_t>;

// A folder of its own for every test, with a tiny vocabulary: the byte alphabet twice, "ab</w>",
// and the two special tokens.
class ClipTokenizerTest : public testing::Test {
 protected:
  void SetUp() override {
    const testing::TestInfo* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              (std::string("phasor_clip_") + info->name() + std::to_string(getpid()));
    fs::create_directories(folder_);
    for (const char* suffix : {"", "</w>"}) {
      for (unsigned b = 0; b < 256; ++b) {
        std::string symbol;
        AppendUtf8(ByteSymbol(static_cast<unsigned char>(b)), symbol);
        vocabulary_[symbol + suffix] = vocabulary_.size();
      }
    }
    vocabulary_["ab</w>"] = kAb;
    vocabulary_["<|startoftext|>"] = kBegin;
    vocabulary_["<|endoftext|>"] = kEnd;
    Write("vocab.json", vocabulary_.dump());
    Write("merges.txt", "#version: 0.2\na b</w>\n");
    Write("tokenizer_config.json", R"({"model_max_length": 8})");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  StatusOr<ClipTokenizer> Load() const { return ClipTokenizer::Load(folder_.string()); }
  Ids Encode(const std::string& text) const { return Load().value().Encode(text); }
  int64_t Id(const std::string& symbol) const { return vocabulary_.at(symbol).get<int64_t>(); }
  void ExpectRefused(const std::string& part) const {
    const Status status = Load().status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    EXPECT_NE(Message(status).find(part), std::string::npos) << status;
  }

  static constexpr int64_t kAb = 512, kBegin = 513, kEnd = 514;
  fs::path folder_;
  nlohmann::json vocabulary_ = nlohmann::json::object();
};

TEST_F(ClipTokenizerTest, WrapsAndPads) {
  EXPECT_EQ(Encode(""), (Ids{kBegin, kEnd, kEnd, kEnd, kEnd, kEnd, kEnd, kEnd}));
  EXPECT_EQ(Encode(" AB "), (Ids{kBegin, kAb, kEnd, kEnd, kEnd, kEnd, kEnd, kEnd}));
}

TEST_F(ClipTokenizerTest, TruncatesContentAndKeepsTheEndToken) {
  EXPECT_EQ(Encode("ab ab ab ab ab ab ab"), (Ids{kBegin, kAb, kAb, kAb, kAb, kAb, kAb, kEnd}));
  EXPECT_EQ(Load().value().CountTokens("ab ab ab ab ab ab ab"), 7);
}

TEST_F(ClipTokenizerTest, PadsWithTheNamedTokenOnTheNamedSide) {
  Write("tokenizer_config.json",
        R"({"model_max_length": 4, "pad_token": "!", "padding_side": "left"})");
  const int64_t pad = Id("!");
  EXPECT_EQ(Encode("ab"), (Ids{pad, kBegin, kAb, kEnd}));
  EXPECT_EQ(Encode("ab!"), (Ids{kBegin, kAb, pad, kEnd})) << "the pad token is cut out of the text";
}

TEST_F(ClipTokenizerTest, TakesTokenizerJsonWhereBothFormsAreThere) {
  nlohmann::json file = {{"model", {{"type", "BPE"}, {"vocab", vocabulary_}}}};
  file["model"]["vocab"]["b</w>"] = 999;
  file["model"]["merges"] = nlohmann::json::array();
  Write("tokenizer.json", file.dump());
  EXPECT_EQ(Encode("ab"), (Ids{kBegin, Id("a"), 999, kEnd, kEnd, kEnd, kEnd, kEnd}));
}

TEST_F(ClipTokenizerTest, GivesTheUnknownTokenForMissingBytes) {
  vocabulary_.erase("b</w>");
  vocabulary_.erase("ab</w>");
  Write("vocab.json", vocabulary_.dump());
  Write("merges.txt", "");
  EXPECT_EQ(Encode("ab"), (Ids{kBegin, Id("a"), kEnd, kEnd, kEnd, kEnd, kEnd, kEnd}));
}

TEST_F(ClipTokenizerTest, NumbersWordsAddedToTheVocabulary) {
  Write("added_tokens.json", R"({"<MyTok>": 515})");
  EXPECT_EQ(Encode("ab<mytok>ab"), (Ids{kBegin, kAb, 515, kAb, kEnd, kEnd, kEnd, kEnd}));
  Write("added_tokens.json", R"({"<MyTok>": 600})");
  ExpectRefused("<MyTok>");
}

TEST_F(ClipTokenizerTest, NamesTheFileThatIsMissingOrBroken) {
  struct Case {
    std::string file, text, part;
  };
  const std::vector<Case> cases = {
      {"vocab.json", "{", "vocab.json"},
      {"vocab.json", R"({"a": -1})", "whole number"},
      {"vocab.json", "{}", "no vocabulary"},
      {"merges.txt", "a b c\n", "line 1"},
      {"merges.txt", "a zzz\n", "merge 1"},
      {"tokenizer_config.json", "[]", "tokenizer_config.json"},
      {"tokenizer_config.json", R"({"model_max_length": 1})", "model_max_length"},
      {"tokenizer_config.json", R"({"padding_side": "up"})", "padding_side"},
      {"tokenizer_config.json", R"({"truncation_side": "left"})", "truncation_side"},
      {"tokenizer_config.json", R"({"bos_token": 5})", "bos_token"},
      {"tokenizer.json", R"({"model": {"type": "WordPiece"}})", "model.type"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.file + " " + c.text);
    SetUp();
    Write(c.file, c.text);
    ExpectRefused(c.part);
    fs::remove(folder_ / "tokenizer.json");
  }
  SetUp();
  fs::remove(folder_ / "merges.txt");
  EXPECT_EQ(Load().status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ClipTokenizer::Load("/nowhere").status().code(), StatusCode::kNotFound);
}

TEST_F(ClipTokenizerTest, ReadsInvalidBytesAsTheReplacementCharacter) {
  const ClipTokenizer tokenizer = Load().value();
  for (const char* bytes : {"\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xed\xa0\x80"}) {
    std::string expected;
    for (char32_t code : DecodeUtf8(bytes)) {
      EXPECT_EQ(code, 0xFFFDu);
      AppendUtf8(code, expected);
    }
    EXPECT_EQ(tokenizer.Encode(bytes), tokenizer.Encode(expected));
  }
  EXPECT_EQ(DecodeUtf8("a\xe2\x82z"), U"a\uFFFDz");
}

TEST_F(ClipTokenizerTest, EndsOnAMegabyteOfOneWord) {
  const ClipTokenizer tokenizer = Load().value();
  const std::string word(1 << 20, 'a');
  EXPECT_EQ(tokenizer.CountTokens(word), 1 << 20);
  EXPECT_EQ(tokenizer.Encode(word).size(), 8u);
}

TEST(ByteSymbolTest, GivesEveryByteASymbolOfItsOwn) {
  std::map<char32_t, int> symbols;
  for (unsigned b = 0; b < 256; ++b) ++symbols[ByteSymbol(static_cast<unsigned char>(b))];
  EXPECT_EQ(symbols.size(), 256u);
  EXPECT_EQ(ByteSymbol(' '), U'Ġ');
  EXPECT_EQ(ByteSymbol('\n'), U'Ċ');
}

TEST(UnicodeTest, NormalisesAndLowers) {
  EXPECT_EQ(NormalizeNfc(U"e\u0301"), U"\u00e9");
  EXPECT_EQ(NormalizeNfc(U"\u1100\u1161\u11a8"), U"\uac01");
  EXPECT_EQ(NormalizeNfc(U"a\u0315\u0300"), U"\u00e0\u0315");
  std::u32string lowered;
  for (char32_t code : std::u32string(U"AÉİΣ")) AppendLower(code, lowered);
  EXPECT_EQ(lowered, U"aéi\u0307σ");
}

}  // namespace
}  // namespace phasor::engine
