// URIs as AWS's signature wants them: everything but letters, digits and "-._~" percent-encoded in
// upper case, query parameters sorted by name. Pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace phasor::storage {

// '/' stays.
std::string EncodePath(std::string_view path);

// "a=1&b=x%2Fy"; libcurl 7.88 signs the query as it stands, so it must stand in this order.
std::string EncodeQuery(const std::map<std::string, std::string>& query);

}  // namespace phasor::storage
