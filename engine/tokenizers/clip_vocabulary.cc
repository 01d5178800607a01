#include "engine/tokenizers/clip_vocabulary.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/file.h"

namespace phasor::engine {
namespace {

using nlohmann::json;

constexpr size_t kMaxFileBytes = size_t{64} << 20;
constexpr int64_t kMaxId = 10'000'000;
constexpr int kClipLength = 77;
constexpr double kLongestSensible = 100'000;  // beyond: "no limit", as files without one say

// A token as files write it, before it has its id.
struct Declared {
  AddedToken token;
  std::optional<int64_t> id_in_file;
};

// An absent file is nullopt.
StatusOr<std::optional<std::string>> ReadOptional(const std::string& path) {
  StatusOr<std::string> text = ReadFile(path, kMaxFileBytes);
  if (text.ok()) return std::optional<std::string>(*std::move(text));
  if (text.status().code() == StatusCode::kNotFound) return std::optional<std::string>();
  return text.status();
}

// The object in a file; null if the file is absent.
StatusOr<json> ReadObject(const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, ReadOptional(path));
  if (!text) return json();
  json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return InvalidArgument(path + ": not a JSON object");
  return object;
}

const json& Member(const json& object, const std::string& key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  auto it = object.find(key);
  return it == object.end() ? kNull : *it;
}

bool FlagOf(const json& object, const std::string& key, bool absent) {
  const json& value = Member(object, key);
  return value.is_boolean() ? value.get<bool>() : absent;
}

std::optional<int64_t> IdOf(const json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  const auto id = value.get<double>();
  if (id < 0 || id > static_cast<double>(kMaxId)) return std::nullopt;
  return value.get<int64_t>();
}

// A string, or an object with flags.
std::optional<AddedToken> ParseToken(const json& value, bool named) {
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get<std::string>();
    token.special = true;
    return token;
  }
  if (!Member(value, "content").is_string()) return std::nullopt;
  token.content = value["content"].get<std::string>();
  token.special = FlagOf(value, "special", false);
  token.normalized = FlagOf(value, "normalized", !token.special);
  token.lstrip = FlagOf(value, "lstrip", false);
  token.rstrip = FlagOf(value, "rstrip", false);
  token.single_word = FlagOf(value, "single_word", false);
  token.special = token.special || named;
  return token;
}

Status ReadVocabulary(const std::string& file, const json& entries, ClipVocabulary& out) {
  if (!entries.is_object() || entries.empty()) {
    return InvalidArgument(file + ": holds no vocabulary");
  }
  out.vocabulary.reserve(entries.size());
  for (const auto& [token, value] : entries.items()) {
    const std::optional<int64_t> id = IdOf(value);
    if (!id) {
      return InvalidArgument(file + ": the id of \"" + token.substr(0, 40) +
                             "\" is not a whole number from 0 to " + std::to_string(kMaxId));
    }
    out.vocabulary.emplace(token, *id);
  }
  return OkStatus();
}

// "left right", split at its only space.
std::optional<std::pair<std::string, std::string>> ParseMerge(const std::string& line) {
  const size_t space = line.find(' ');
  if (space == std::string::npos || space == 0 || space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string::npos) {
    return std::nullopt;
  }
  return std::pair(line.substr(0, space), line.substr(space + 1));
}

Status ReadMergeLines(const std::string& file, const std::string& text, ClipVocabulary& out) {
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.starts_with("#version")) continue;
    auto merge = ParseMerge(line);
    if (!merge) {
      return InvalidArgument(file + ": line " + std::to_string(number) +
                             " is not two symbols with one space between");
    }
    out.merges.push_back(*std::move(merge));
  }
  return OkStatus();
}

Status ReadMergeList(const std::string& file, const json& list, ClipVocabulary& out) {
  if (!list.is_array()) return InvalidArgument(file + ": model.merges is not a list");
  for (const json& entry : list) {
    std::optional<std::pair<std::string, std::string>> merge;
    if (entry.is_string()) {
      merge = ParseMerge(entry.get<std::string>());
    } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
               entry[1].is_string()) {
      merge = std::pair(entry[0].get<std::string>(), entry[1].get<std::string>());
    }
    if (!merge) {
      return InvalidArgument(file + ": model.merges " + std::to_string(out.merges.size()) +
                             " is not a pair of symbols");
    }
    out.merges.push_back(*std::move(merge));
  }
  return OkStatus();
}

// tokenizer.json wins, even where the other files disagree.
Status ReadModel(const std::string& directory, const json& tokenizer, ClipVocabulary& out) {
  if (tokenizer.is_object()) {
    const std::string file = directory + "/tokenizer.json";
    const json& model = Member(tokenizer, "model");
    if (Member(model, "type") != "BPE") {
      return InvalidArgument(file + ": model.type must be BPE for a CLIP tokenizer");
    }
    RETURN_IF_ERROR(ReadVocabulary(file, Member(model, "vocab"), out));
    return ReadMergeList(file, Member(model, "merges"), out);
  }
  const std::string vocabulary_file = directory + "/vocab.json";
  const std::string merges_file = directory + "/merges.txt";
  ASSIGN_OR_RETURN(const json entries, ReadObject(vocabulary_file));
  if (entries.is_null()) {
    return NotFound(directory + ": neither tokenizer.json nor vocab.json is there");
  }
  RETURN_IF_ERROR(ReadVocabulary(vocabulary_file, entries, out));
  ASSIGN_OR_RETURN(const std::optional<std::string> merges, ReadOptional(merges_file));
  if (!merges) return NotFound(merges_file + ": no such file");
  return ReadMergeLines(merges_file, *merges, out);
}

// added_tokens.json: content -> id.
std::vector<Declared> FromAddedTokensFile(const json& added) {
  std::vector<Declared> declared;
  if (!added.is_object()) return declared;
  for (const auto& [content, id] : added.items()) {
    AddedToken token;
    token.content = content;
    token.normalized = true;
    declared.push_back({token, IdOf(id)});
  }
  return declared;
}

// The list in tokenizer.json: objects with their ids.
std::vector<Declared> FromTokenizerFile(const json& list) {
  std::vector<Declared> declared;
  if (!list.is_array()) return declared;
  for (const json& entry : list) {
    if (auto token = ParseToken(entry, /*named=*/false)) {
      declared.push_back({*std::move(token), IdOf(Member(entry, "id"))});
    }
  }
  return declared;
}

// added_tokens_decoder of tokenizer_config.json: id -> object.
std::vector<Declared> FromDecoder(const json& decoder) {
  std::vector<Declared> declared;
  for (const auto& [key, entry] : decoder.items()) {
    const json id = json::parse(key, nullptr, /*allow_exceptions=*/false);
    if (auto token = ParseToken(entry, /*named=*/false)) {
      declared.push_back({*std::move(token), IdOf(id)});
    }
  }
  return declared;
}

// Reads what the folder declares besides the model.
class Declarations {
 public:
  Declarations(json config, json special_map) : config_(std::move(config)) {
    // The map overrides the special tokens, unless the config lists all added tokens itself.
    if (!has_decoder() && special_map.is_object()) {
      for (const auto& [key, value] : special_map.items()) config_[key] = value;
    }
  }

  bool has_decoder() const { return Member(config_, "added_tokens_decoder").is_object(); }
  const json& config() const { return config_; }

  // Tokens listed by id, then the named ones, then the extra ones; the first of a content counts.
  StatusOr<std::vector<Declared>> Collect(std::vector<Declared> listed) const {
    if (has_decoder()) listed = FromDecoder(config_["added_tokens_decoder"]);
    std::stable_sort(listed.begin(), listed.end(), [](const Declared& a, const Declared& b) {
      return a.id_in_file.value_or(kMaxId) < b.id_in_file.value_or(kMaxId);
    });
    std::vector<Declared> all;
    for (Declared& declared : listed) Add(std::move(declared), all);
    for (const char* name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
                             "cls_token", "mask_token"}) {
      ASSIGN_OR_RETURN(const std::optional<AddedToken> token, Named(name));
      if (token) Add({*token, std::nullopt}, all);
    }
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
      const json& extra = Member(config_, key);
      if (!extra.is_array() && !extra.is_object()) continue;
      for (const json& entry : extra) {
        if (auto token = ParseToken(entry, /*named=*/true)) {
          Add({*std::move(token), std::nullopt}, all);
        }
      }
    }
    return all;
  }

  // A named token, or the class's default for it.
  StatusOr<std::optional<AddedToken>> Named(const std::string& name) const {
    static const std::map<std::string, std::string> kDefaults = {{"bos_token", "<|startoftext|>"},
                                                                 {"eos_token", "<|endoftext|>"},
                                                                 {"unk_token", "<|endoftext|>"},
                                                                 {"pad_token", "<|endoftext|>"}};
    const json& value = Member(config_, name);
    if (value.is_null()) {
      auto fallback = kDefaults.find(name);
      if (fallback == kDefaults.end()) return std::optional<AddedToken>();
      return ParseToken(fallback->second, /*named=*/true);
    }
    std::optional<AddedToken> token = ParseToken(value, /*named=*/true);
    if (!token || token->content.empty()) {
      return InvalidArgument("tokenizer_config.json: " + name + " is not a token");
    }
    return token;
  }

 private:
  static void Add(Declared declared, std::vector<Declared>& all) {
    if (declared.token.content.empty()) return;
    for (Declared& known : all) {
      if (known.token.content != declared.token.content) continue;
      known.token.special = known.token.special || declared.token.special;
      return;
    }
    all.push_back(std::move(declared));
  }

  json config_;
};

// Ids come from the vocabulary, else from its end upwards in order; files must agree.
Status NumberTokens(std::vector<Declared> declared, ClipVocabulary& out) {
  auto next = static_cast<int64_t>(out.vocabulary.size());
  for (Declared& entry : declared) {
    auto known = out.vocabulary.find(entry.token.content);
    entry.token.id = known != out.vocabulary.end() ? known->second : next++;
    if (entry.id_in_file && *entry.id_in_file != entry.token.id) {
      return InvalidArgument("added token \"" + entry.token.content.substr(0, 40) +
                             "\" has the id " + std::to_string(*entry.id_in_file) +
                             " in the files, but would be " + std::to_string(entry.token.id));
    }
    out.added.push_back(std::move(entry.token));
  }
  return OkStatus();
}

StatusOr<int64_t> NamedId(const Declarations& declarations, const std::string& name,
                          const ClipVocabulary& vocabulary) {
  ASSIGN_OR_RETURN(const std::optional<AddedToken> wanted, declarations.Named(name));
  for (const AddedToken& token : vocabulary.added) {
    if (token.content == wanted->content) return token.id;
  }
  return Internal("tokenizer: " + name + " was not numbered");
}

Status ReadSettings(const json& config, ClipVocabulary& out) {
  const json& length = Member(config, "model_max_length");
  out.max_length = kClipLength;
  if (length.is_number() && length.get<double>() <= kLongestSensible) {
    if (!(length.get<double>() >= 2)) {
      return InvalidArgument("tokenizer_config.json: model_max_length must be at least 2");
    }
    out.max_length = length.get<int>();
  }
  const json& padding = Member(config, "padding_side");
  if (!padding.is_null() && padding != "left" && padding != "right") {
    return InvalidArgument("tokenizer_config.json: padding_side must be left or right");
  }
  out.pad_left = padding == "left";
  const json& truncation = Member(config, "truncation_side");
  if (!truncation.is_null() && truncation != "right") {
    return InvalidArgument("tokenizer_config.json: truncation_side is supported only as right");
  }
  out.split_special_tokens = FlagOf(config, "split_special_tokens", false);
  return OkStatus();
}

}  // namespace

StatusOr<ClipVocabulary> LoadClipVocabulary(const std::string& directory) {
  ClipVocabulary out;
  ASSIGN_OR_RETURN(const json tokenizer, ReadObject(directory + "/tokenizer.json"));
  RETURN_IF_ERROR(ReadModel(directory, tokenizer, out));
  ASSIGN_OR_RETURN(json config, ReadObject(directory + "/tokenizer_config.json"));
  ASSIGN_OR_RETURN(json special_map, ReadObject(directory + "/special_tokens_map.json"));
  ASSIGN_OR_RETURN(const json added, ReadObject(directory + "/added_tokens.json"));
  const Declarations declarations(std::move(config), std::move(special_map));
  std::vector<Declared> listed = FromAddedTokensFile(added);
  for (Declared& token : FromTokenizerFile(Member(tokenizer, "added_tokens"))) {
    listed.push_back(std::move(token));
  }
  ASSIGN_OR_RETURN(std::vector<Declared> declared, declarations.Collect(std::move(listed)));
  RETURN_IF_ERROR(Annotate(NumberTokens(std::move(declared), out), directory));
  ASSIGN_OR_RETURN(out.begin_id, NamedId(declarations, "bos_token", out));
  ASSIGN_OR_RETURN(out.end_id, NamedId(declarations, "eos_token", out));
  ASSIGN_OR_RETURN(out.unknown_id, NamedId(declarations, "unk_token", out));
  ASSIGN_OR_RETURN(out.pad_id, NamedId(declarations, "pad_token", out));
  RETURN_IF_ERROR(Annotate(ReadSettings(declarations.config(), out), directory));
  return out;
}

}  // namespace phasor::engine
