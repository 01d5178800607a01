#include "services/gateway/flow/page_seal.h"

#include <algorithm>

#include "common/base/hash.h"
#include "common/rpc/status_details.h"

namespace phasor::gateway {
namespace {

constexpr size_t kPage = 20;  // digits of the queue's numbers at most
constexpr size_t kMark = 16;
constexpr std::string_view kHex = "0123456789abcdef";

// Proves the text and starts its stream: as in SIV, no random number is needed.
std::string MarkOf(std::string_view secret, std::string_view tenant, std::string_view text) {
  std::string message = "mark of a page";
  for (const std::string_view part : {tenant, text}) message.append(1, '\0').append(part);
  const Digest digest = HmacSha256(secret, message);
  return {digest.begin(), digest.begin() + kMark};
}

std::string Mixed(std::string_view secret, std::string_view mark, std::string text) {
  const Digest stream = HmacSha256(secret, std::string("stream of a page").append(mark));
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(text[i] ^ stream[i]);
  return text;
}

}  // namespace

std::string SealPage(std::string_view secret, std::string_view tenant, std::string_view page) {
  if (page.empty() || page.size() > kPage) return "";
  std::string text(page);
  text.resize(kPage);
  const std::string mark = MarkOf(secret, tenant, text);
  const std::string sealed = mark + Mixed(secret, mark, text);
  return Hex(reinterpret_cast<const uint8_t*>(sealed.data()), sealed.size());
}

StatusOr<std::string> OpenPage(std::string_view secret, std::string_view tenant,
                               std::string_view sealed) {
  const Status wrong = rpc::InvalidFields({{"page_token", "is no token of this list"}});
  if (sealed.empty()) return std::string();
  if (sealed.size() != 2 * (kMark + kPage) || sealed.find_first_not_of(kHex) != sealed.npos) {
    return wrong;
  }
  std::string bytes;
  for (size_t i = 0; i < sealed.size(); i += 2) {
    bytes.push_back(static_cast<char>(16 * kHex.find(sealed[i]) + kHex.find(sealed[i + 1])));
  }
  const std::string mark = bytes.substr(0, kMark);
  const std::string text = Mixed(secret, mark, bytes.substr(kMark));
  if (!EqualInConstantTime(mark, MarkOf(secret, tenant, text))) return wrong;
  return text.substr(0, text.find('\0'));
}

}  // namespace phasor::gateway
