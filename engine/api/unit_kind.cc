#include "engine/api/unit_kind.h"

namespace phasor::engine {

std::string_view ToString(UnitKind kind) {
  switch (kind) {
    case UnitKind::kEncode:
      return "encode";
    case UnitKind::kStep:
      return "denoise";
    case UnitKind::kDecode:
      return "decode";
    case UnitKind::kDone:
      return "done";
  }
  return "unknown";
}

}  // namespace phasor::engine
