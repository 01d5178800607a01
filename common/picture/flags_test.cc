#include "common/picture/flags.h"

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/picture/describe.h"

namespace phasor::picture {
namespace {

StatusOr<Asked> Read(const std::vector<std::string>& words, std::string* help = nullptr) {
  Asked asked;
  flags::CommandLine line("draw", "draws");
  AddFlags(line, &asked, {"prompt"});
  std::ostringstream out;
  RETURN_IF_ERROR(line.Parse(words, out).status());
  if (help != nullptr) *help = out.str();
  return asked;
}

TEST(PictureFlagsTest, EachParameterThatTextCanGiveHasOne) {
  std::string help;
  ASSERT_TRUE(Read({"--help"}, &help).ok());
  for (const Description& one : Describe(PictureSpec{}, Limits{})) {
    const bool has = help.find(one.what) != std::string::npos;
    EXPECT_EQ(has, !one.planned && one.name != "prompt") << one.name;
  }
}

TEST(PictureFlagsTest, LongAndShortNamesAreTheSame) {
  for (const char* name : {"--guidance", "--guidance-scale"}) {
    const auto asked = Read({name, "4.5"});
    ASSERT_TRUE(asked.ok()) << asked.status();
    EXPECT_EQ(asked->values().guidance_scale, 4.5);
    EXPECT_TRUE(asked->Has("guidance_scale"));
    EXPECT_FALSE(asked->Has("steps"));
  }
}

TEST(PictureFlagsTest, AWrongValueIsToldWithTheFlagsName) {
  const Status status = Read({"--negative", "x", "--guidance", "many"}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(status).find("--guidance"), std::string::npos) << status;
}

}  // namespace
}  // namespace phasor::picture
