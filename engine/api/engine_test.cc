#include "engine/api/engine.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(UnitKindTest, IsNamedAfterItsPhase) {
  EXPECT_EQ(ToString(UnitKind::kEncode), "encode");
  EXPECT_EQ(ToString(UnitKind::kStep), "denoise");
  EXPECT_EQ(ToString(UnitKind::kDecode), "decode");
  EXPECT_EQ(ToString(UnitKind::kDone), "done");
}

}  // namespace
}  // namespace phasor::engine
