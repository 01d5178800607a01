// The XML that S3 servers answer with: elements, text, entities. Strict and bounded, since what is
// read comes from the network: a document type, comments, CDATA, depth above 8 and more than
// 20,000 elements are DATA_LOSS. Attributes are passed over. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::storage {

struct XmlElement {
  std::string name;
  std::string text;  // entities decoded; of its own, without its children's
  std::vector<XmlElement> children;

  // Text of the first child of that name, "" if there is none.
  std::string ChildText(std::string_view child) const;
};

StatusOr<XmlElement> ParseXml(std::string_view document);

}  // namespace phasor::storage
