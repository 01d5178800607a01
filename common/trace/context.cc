#include "common/trace/context.h"

#include <algorithm>
#include <cstdio>

namespace phasor::trace {
namespace {

constexpr size_t kTraceAt = 3, kTraceDigits = 32;
constexpr size_t kSpanAt = 36, kSpanDigits = 16;
constexpr size_t kFlagsAt = 53, kFlagDigits = 2;
constexpr size_t kSize = 55;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

int Digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::string Hex(uint64_t bits) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

// An id may not be all 0.
uint64_t Some(const RandomBits& random) {
  const uint64_t bits = random();
  return bits == 0 ? 1 : bits;
}

}  // namespace

Context ParseTraceParent(std::string_view text) {
  const bool later = text.size() > kSize && text.substr(0, 2) != "00" && text[kSize] == '-';
  if (text.size() != kSize && !later) return {};
  if (text[2] != '-' || text[kSpanAt - 1] != '-' || text[kFlagsAt - 1] != '-') return {};
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(kTraceAt, kTraceDigits);
  const std::string_view span = text.substr(kSpanAt, kSpanDigits);
  const std::string_view flags = text.substr(kFlagsAt, kFlagDigits);
  if (!IsHex(version) || version == "ff" || !IsId(trace) || !IsId(span) || !IsHex(flags)) return {};
  return {std::string(trace), std::string(span), (Digit(flags[1]) & 1) != 0};
}

std::string TraceParent(const Context& context) {
  if (!Exists(context)) return "";
  return "00-" + context.trace_id + "-" + context.span_id + (context.sampled ? "-01" : "-00");
}

Context ChildOf(const Context& parent, const RandomBits& random) {
  Context child = parent;
  if (!Exists(child)) {
    child.trace_id = Hex(random()) + Hex(Some(random));
    child.sampled = true;
  }
  child.span_id = Hex(Some(random));
  return child;
}

}  // namespace phasor::trace
