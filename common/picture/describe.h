// What people and programs are told about each parameter: the page of Models.Get, the flags of the
// programs, docs/parameters.md. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/picture/asked.h"

namespace phasor::picture {

struct Description {
  std::string name;
  std::string flag;  // "--steps"; empty: no flag gives it
  std::string type;  // "text", "whole", "number", "image" or "list"
  // As text; empty: none, or drawn for each request.
  std::string fallback;
  std::optional<double> low;       // of a number
  std::optional<double> high;      // of a number; of a text in bytes; of a list in items
  std::optional<double> multiple;  // of a number
  std::vector<std::string> words;  // of a text that is one of some
  std::string what;
  bool planned = false;
};

// "guidance_scale" is --guidance-scale.
std::string FlagOf(std::string_view name);

// With a card's defaults and limits; in the table's order.
std::vector<Description> Describe(const PictureSpec& defaults, const Limits& limits);

// docs/parameters.md.
std::string ParametersPage();

}  // namespace phasor::picture
