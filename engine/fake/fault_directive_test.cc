#include "engine/fake/fault_directive.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace phasor::engine {
namespace {

TEST(FaultDirectiveTest, ReadsWhatUnitAndTimes) {
  struct Case {
    std::string prompt;
    std::vector<FaultDirective> directives;
  };
  const std::vector<Case> cases = {
      {"", {}},
      {"a red circle", {}},
      {"a default:oom@step3 of a fault", {}},
      {"fault:crash@encode", {{FaultKind::kCrash, UnitKind::kEncode, 0, 0}}},
      {"fault:hang@step0", {{FaultKind::kHang, UnitKind::kStep, 0, 0}}},
      {"a red circle fault:oom@step12x3", {{FaultKind::kOutOfMemory, UnitKind::kStep, 12, 3}}},
      {"\tfault:device-lost@decodex1\n", {{FaultKind::kDeviceLost, UnitKind::kDecode, 0, 1}}},
      {"fault:internal@step1 on fault:oom@decodex2",
       {{FaultKind::kInternal, UnitKind::kStep, 1, 0},
        {FaultKind::kOutOfMemory, UnitKind::kDecode, 0, 2}}},
      {"fault:internal@step1000000x1000000",
       {{FaultKind::kInternal, UnitKind::kStep, 1'000'000, 1'000'000}}},
  };
  for (const Case& c : cases) {
    const auto directives = ParseFaultDirectives(c.prompt);
    ASSERT_TRUE(directives.ok()) << c.prompt << ": " << directives.status();
    EXPECT_EQ(*directives, c.directives) << c.prompt;
  }
}

TEST(FaultDirectiveTest, RefusesWhatOnlyLooksLikeOne) {
  for (const std::string word :
       {"fault:", "fault:crash", "fault:crash@", "fault:@step1", "fault:fire@step1",
        "fault:crash@step", "fault:crash@step-1", "fault:crash@step1.5", "fault:crash@step1x",
        "fault:crash@step1x0", "fault:crash@step1x-2", "fault:crash@stepx2", "fault:crash@sleep",
        "fault:crash@encode1", "fault:crash@step1x2x3", "fault:crash@step1000001",
        "fault:crash@step99999999999999999999", "fault:CRASH@step1", "fault:crash@step1@step2"}) {
    const Status status = ParseFaultDirectives("a cat " + word).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << word;
    EXPECT_NE(Message(status).find(word), std::string::npos) << status;
  }
}

TEST(FaultDirectiveTest, StrikesBeforeItsUnitOnly) {
  const FaultDirective step{.unit = UnitKind::kStep, .step = 2};
  EXPECT_TRUE(Matches(step, {.kind = UnitKind::kStep, .index = 2}));
  EXPECT_FALSE(Matches(step, {.kind = UnitKind::kStep, .index = 3}));
  EXPECT_FALSE(Matches(step, {.kind = UnitKind::kDecode, .index = 2}));
  const FaultDirective decode{.unit = UnitKind::kDecode};
  EXPECT_TRUE(Matches(decode, {.kind = UnitKind::kDecode, .index = 1})) << "any picture's";
  EXPECT_FALSE(Matches(decode, {.kind = UnitKind::kEncode}));
}

}  // namespace
}  // namespace phasor::engine
