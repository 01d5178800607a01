#include "services/render/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace phasor::render {
namespace {

using engine::Unit;
using engine::UnitKind;

TEST(ProgressTest, TellsThePhaseTheStepAndTheTimeLeft) {
  struct Case {
    Unit next;
    const char* bar;
    const char* json;
  };
  const Case cases[] = {
      {{UnitKind::kEncode, 0, 1, 0, 0},
       "encode [........................] 0/1",
       R"({"phase":"encode","done":0,"total":1,"seconds_left":0.0})"},
      {{UnitKind::kStep, 10, 20, 0, 0.25},
       "denoise [############............] 10/20  2.5 s left",
       R"({"phase":"denoise","done":10,"total":20,"seconds_left":2.5})"},
      {{UnitKind::kDecode, 1, 2, 0, 0.5},
       "decode [############............] 1/2  0.5 s left",
       R"({"phase":"decode","done":1,"total":2,"seconds_left":0.5})"},
      {{UnitKind::kDone, 0, 0, 0, 0},
       "done [........................] 0/0",
       R"({"phase":"done","done":0,"total":0,"seconds_left":0.0})"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(ProgressBar(test.next), test.bar);
    EXPECT_EQ(ProgressJson(test.next), test.json);
  }
}

TEST(ProgressTest, WritesWhereAndWhenTheModeSays) {
  struct Case {
    ProgressMode mode;
    bool terminal;
    bool out;
    bool err;
  };
  const Case cases[] = {
      {ProgressMode::kAuto, true, false, true},
      {ProgressMode::kAuto, false, false, false},
      {ProgressMode::kNone, true, false, false},
      {ProgressMode::kJson, true, true, false},
  };
  for (const Case& test : cases) {
    std::ostringstream out, err;
    MakeProgress(test.mode, test.terminal, out, err)->Show({UnitKind::kStep, 1, 2, 0, 0});
    EXPECT_EQ(!out.str().empty(), test.out);
    EXPECT_EQ(!err.str().empty(), test.err);
  }
}

}  // namespace
}  // namespace phasor::render
