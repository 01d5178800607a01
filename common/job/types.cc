#include "common/job/types.h"

#include <utility>

#include "common/base/hash.h"

namespace phasor::job {
namespace {

template <typename Enum>
using Name = std::pair<Enum, std::string_view>;

constexpr std::array<Name<Priority>, 4> kPriorityNames = {{{Priority::kUrgent, "URGENT"},
                                                           {Priority::kHigh, "HIGH"},
                                                           {Priority::kNormal, "NORMAL"},
                                                           {Priority::kLow, "LOW"}}};
constexpr std::array<Name<State>, 8> kStateNames = {{{State::kQueued, "QUEUED"},
                                                     {State::kWaiting, "WAIT"},
                                                     {State::kLeased, "LEASED"},
                                                     {State::kSealing, "SEALING"},
                                                     {State::kDone, "DONE"},
                                                     {State::kDead, "DEAD"},
                                                     {State::kCanceled, "CANCELED"},
                                                     {State::kExpired, "EXPIRED"}}};
constexpr std::array<Name<Phase>, 6> kPhaseNames = {{{Phase::kNone, ""},
                                                     {Phase::kInitializing, "INITIALIZING"},
                                                     {Phase::kEncoding, "ENCODING_PROMPT"},
                                                     {Phase::kDenoising, "DIFFUSION_RUNNING"},
                                                     {Phase::kDecoding, "DECODING"},
                                                     {Phase::kPublishing, "PUBLISHING"}}};

template <typename Names, typename Enum>
std::string_view NameOf(const Names& names, Enum value) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  return "UNKNOWN";
}

template <typename Enum, typename Names>
std::optional<Enum> ValueOf(const Names& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

constexpr size_t kMaxKeyName = 24;
constexpr size_t kIdLength = 32;
constexpr size_t kTagLength = 6;  // of an id's end: 30 bits; what stands before has 130

std::string TagOf(std::string_view tenant) {
  const Digest digest = Sha256Of(std::string("tenant of a job: ").append(tenant));
  return Base32(digest.data(), digest.size()).substr(0, kTagLength);
}

}  // namespace

bool IsTerminal(State state) {
  switch (state) {
    case State::kQueued:
    case State::kWaiting:
    case State::kLeased:
    case State::kSealing:
      return false;
    case State::kDone:
    case State::kDead:
    case State::kCanceled:
    case State::kExpired:
      return true;
  }
  return false;
}

std::string_view ToString(Priority priority) { return NameOf(kPriorityNames, priority); }
std::string_view ToString(State state) { return NameOf(kStateNames, state); }
std::string_view ToString(Phase phase) { return NameOf(kPhaseNames, phase); }

std::optional<Priority> ParsePriority(std::string_view text) {
  return ValueOf<Priority>(kPriorityNames, text);
}
std::optional<State> ParseState(std::string_view text) { return ValueOf<State>(kStateNames, text); }
std::optional<Phase> ParsePhase(std::string_view text) { return ValueOf<Phase>(kPhaseNames, text); }

std::string KeyName(std::string_view name) {
  bool plain = !name.empty() && name.size() <= kMaxKeyName && name.front() != '-';
  for (const char c : name) plain = plain && (IsLowerOrDigit(c) || c == '-');
  if (plain) return std::string(name);
  // The dot keeps hashes apart from every plain name.
  const Digest digest = Sha256Of(name);
  return "h." + Base32(digest.data(), 10);
}

JobId MakeJobId(std::string_view secret, std::string_view tenant,
                std::string_view idempotency_key) {
  std::string message(tenant);
  message.push_back('\0');
  message.append(idempotency_key);
  const Digest digest = HmacSha256(secret, message);
  JobId id = Base32(digest.data(), 20);
  if (!tenant.empty()) id.replace(kIdLength - kTagLength, kTagLength, TagOf(tenant));
  return id;
}

bool MayBeOf(std::string_view id, std::string_view tenant) {
  if (tenant.empty()) return true;
  return id.size() >= kIdLength && id.substr(kIdLength - kTagLength, kTagLength) == TagOf(tenant);
}

bool IsValidJobId(std::string_view id) {
  if (id.size() < kIdLength) return false;
  for (const char c : id.substr(0, kIdLength)) {
    if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'))) return false;
  }
  std::string_view generation = id.substr(kIdLength);
  if (generation.empty()) return true;
  if (generation.front() != '#' || generation.size() < 2 || generation.size() > 6) return false;
  for (const char c : generation.substr(1)) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

}  // namespace phasor::job
