#include "common/config/command_secrets.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace phasor::config {
namespace {

// "scheme://user:password@host".
bool HasPassword(const std::string& text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos || text.find("unix://") != std::string::npos) return false;
  const size_t begin = scheme + 3;
  // A password may hold a '/', so only the last '@' before the parameters counts.
  const size_t at = text.rfind('@', text.find('?'));
  if (at == std::string::npos || at < begin) return false;
  const size_t colon = text.find(':', begin);
  return colon != std::string::npos && colon + 1 < at;
}

}  // namespace

Status RefusePasswords(int argc, const char* const* argv) {
  std::string flag;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--")) flag = word.substr(0, word.find('='));
    if (!HasPassword(word)) continue;
    std::string variable = "PHASOR_" + flag.substr(std::min<size_t>(flag.size(), 2));
    for (char& c : variable) {
      c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return InvalidArgument(flag + ": everybody who runs ps reads a password on the command line; " +
                           "name a file that holds it with " + flag +
                           "-password-file, or put the URL into " + variable +
                           " or into the file of settings");
  }
  return OkStatus();
}

}  // namespace phasor::config
