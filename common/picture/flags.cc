#include "common/picture/flags.h"

#include <string>

#include "common/picture/describe.h"

namespace phasor::picture {
namespace {

std::string KindOf(const std::string& type) {
  if (type == "whole") return "INT";
  return type == "number" ? "FLOAT" : "TEXT";
}

// "--guidance-scale,--guidance": messages name the last.
std::string NamesOf(const Description& one, const Parameter<PictureSpec>& parameter) {
  if (parameter.short_flag.empty()) return one.flag;
  return FlagOf(one.name) + "," + one.flag;
}

}  // namespace

void AddFlags(flags::Command& command, Asked* asked, const std::set<std::string_view>& except) {
  for (const Description& one : Describe(PictureSpec{}, Limits{})) {
    const Parameter<PictureSpec>& parameter = *FindParameter(one.name);
    if (one.flag.empty() || except.contains(parameter.name)) continue;
    const bool shown = parameter.origin == Default::kFixed;
    command.Value(
        NamesOf(one, parameter), KindOf(one.type), one.what, shown ? one.fallback : "",
        [asked, &parameter](const std::string& text) { return asked->Read(parameter, text); });
  }
}

}  // namespace phasor::picture
