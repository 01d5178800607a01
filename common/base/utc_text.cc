#include "common/base/utc_text.h"

#include <ctime>

namespace phasor {

std::string UtcText(int64_t wall_millis, const char* format) {
  const std::time_t seconds = wall_millis / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof(text), format, &parts)};
}

}  // namespace phasor
