#include "common/storage/s3/xml.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace phasor::storage {
namespace {

constexpr int kMaxDepth = 8;
constexpr int kMaxElements = 20'000;
constexpr std::string_view kSpace = " \t\r\n";

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
         c == '_' || c == '-' || c == '.';
}

void AppendUtf8(uint32_t code, std::string* text) {
  const auto add = [text](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | (code >> 6));
    add(0x80 | (code & 63));
  } else if (code < 0x10000) {
    add(0xE0 | (code >> 12));
    add(0x80 | ((code >> 6) & 63));
    add(0x80 | (code & 63));
  } else {
    add(0xF0 | (code >> 18));
    add(0x80 | ((code >> 12) & 63));
    add(0x80 | ((code >> 6) & 63));
    add(0x80 | (code & 63));
  }
}

// Of "#35" or "#x23"; nullopt for what is no character.
std::optional<uint32_t> ReadCharacter(std::string_view digits) {
  digits.remove_prefix(1);
  const uint32_t base = !digits.empty() && digits[0] == 'x' ? 16 : 10;
  if (base == 16) digits.remove_prefix(1);
  if (digits.empty() || digits.size() > 7) return std::nullopt;
  uint32_t code = 0;
  for (const char c : digits) {
    uint32_t digit = 99;
    if (c >= '0' && c <= '9') digit = static_cast<uint32_t>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<uint32_t>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') digit = static_cast<uint32_t>(c - 'A') + 10;
    if (digit >= base) return std::nullopt;
    code = code * base + digit;
  }
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code == 0 || code > 0x10FFFF || surrogate) return std::nullopt;
  return code;
}

class Reader {
 public:
  explicit Reader(std::string_view document) : rest_(document) {}

  StatusOr<XmlElement> Document() {
    SkipSpace();
    if (Take("<?xml")) {
      const size_t end = rest_.find("?>");
      if (end == std::string_view::npos) return Broken("its declaration has no end");
      rest_.remove_prefix(end + 2);
    }
    SkipSpace();
    XmlElement root;
    RETURN_IF_ERROR(Element(1, &root));
    SkipSpace();
    if (!rest_.empty()) return Broken("something follows its root");
    return root;
  }

 private:
  static Status Broken(const std::string& what) { return DataLoss("XML: " + what); }

  void SkipSpace() {
    const size_t at = std::min(rest_.find_first_not_of(kSpace), rest_.size());
    rest_.remove_prefix(at);
  }
  bool Take(std::string_view token) {
    if (rest_.substr(0, token.size()) != token) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  std::string_view Name() {
    size_t length = 0;
    while (length < rest_.size() && IsNameCharacter(rest_[length])) ++length;
    const std::string_view name = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return name;
  }

  // Behind a tag's name: attributes and its end. True: the element has no content.
  StatusOr<bool> EndOfTag() {
    while (true) {
      SkipSpace();
      if (Take("/>")) return true;
      if (Take(">")) return false;
      const bool named = !Name().empty() && Take("=");
      const char quote = rest_.empty() ? 0 : rest_[0];
      if (!named || (quote != '"' && quote != '\'')) return Broken("a tag is malformed");
      const size_t end = rest_.find(quote, 1);
      if (end == std::string_view::npos) return Broken("an attribute has no end");
      rest_.remove_prefix(end + 1);
    }
  }

  Status Element(int depth, XmlElement* element) {
    if (depth > kMaxDepth) return Broken("it is nested too deep");
    if (++elements_ > kMaxElements) return Broken("it has too many elements");
    if (!Take("<")) return Broken("an element is missing");
    element->name = std::string(Name());
    if (element->name.empty()) return Broken("a tag has no name");
    ASSIGN_OR_RETURN(const bool empty, EndOfTag());
    if (empty) return OkStatus();
    while (true) {
      RETURN_IF_ERROR(Text(&element->text));
      if (Take("</")) break;
      element->children.emplace_back();
      RETURN_IF_ERROR(Element(depth + 1, &element->children.back()));
    }
    if (Name() != element->name) return Broken(element->name + " has no end tag of its own");
    SkipSpace();
    return Take(">") ? OkStatus() : Broken("an end tag is malformed");
  }

  Status Text(std::string* text) {
    while (true) {
      const size_t end = rest_.find_first_of("<&");
      if (end == std::string_view::npos) return Broken("it ends too early");
      text->append(rest_.substr(0, end));
      rest_.remove_prefix(end);
      if (rest_[0] == '<') return OkStatus();
      RETURN_IF_ERROR(Entity(text));
    }
  }

  Status Entity(std::string* text) {
    static constexpr std::pair<std::string_view, char> kNamed[] = {
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    const size_t end = rest_.substr(0, 12).find(';');
    if (end == std::string_view::npos) return Broken("an entity has no end");
    const std::string_view name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    for (const auto& [known, character] : kNamed) {
      if (name != known) continue;
      text->push_back(character);
      return OkStatus();
    }
    if (name.empty() || name[0] != '#') return Broken("an unknown entity");
    const std::optional<uint32_t> code = ReadCharacter(name);
    if (!code) return Broken("an entity is no character");
    AppendUtf8(*code, text);
    return OkStatus();
  }

  std::string_view rest_;
  int elements_ = 0;
};

}  // namespace

std::string XmlElement::ChildText(std::string_view child) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const XmlElement& c) { return c.name == child; });
  return found == children.end() ? "" : found->text;
}

StatusOr<XmlElement> ParseXml(std::string_view document) { return Reader(document).Document(); }

}  // namespace phasor::storage
