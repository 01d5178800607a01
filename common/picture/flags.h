// The flags of a program for the parameters of a request, one for each that text can give. One
// thread.
#pragma once

#include <set>
#include <string_view>

#include "common/flags/command.h"
#include "common/picture/asked.h"

namespace phasor::picture {

// `asked` outlives the parsing. Not for those in `except`: the program takes them in its own way.
void AddFlags(flags::Command& command, Asked* asked, const std::set<std::string_view>& except = {});

}  // namespace phasor::picture
