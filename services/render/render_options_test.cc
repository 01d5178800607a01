#include "services/render/render_options.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace phasor::render {
namespace {

StatusOr<std::optional<RenderOptions>> Parse(std::vector<const char*> arguments,
                                             std::ostream* out = nullptr) {
  std::ostringstream ignored;
  arguments.insert(arguments.begin(), "phasor-render");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data(),
                      out == nullptr ? ignored : *out);
}

TEST(RenderOptionsTest, TakesTheWholeCommandLine) {
  const auto parsed = Parse({"--model",
                             "m",
                             "--prompt",
                             "a cat",
                             "--negative",
                             "dog",
                             "--seed",
                             "18446744073709551615",
                             "--steps",
                             "12",
                             "--guidance",
                             "4.5",
                             "--width",
                             "136",
                             "--height=104",
                             "--scheduler",
                             "euler_a",
                             "--threads",
                             "2",
                             "--variant",
                             "fp16",
                             "--device",
                             "sim",
                             "--vram",
                             "1.5GiB",
                             "--stop-after-step",
                             "3",
                             "--checkpoint-dir",
                             "c",
                             "--progress",
                             "json"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const RenderOptions& options = **parsed;
  EXPECT_EQ(options.asked.values().prompt, "a cat");
  EXPECT_EQ(options.asked.values().negative_prompt, "dog");
  EXPECT_EQ(options.asked.values().seed, UINT64_MAX);
  EXPECT_EQ(options.asked.values().steps, 12);
  EXPECT_EQ(options.asked.values().guidance_scale, 4.5);
  EXPECT_EQ(options.asked.values().width, 136);
  EXPECT_EQ(options.asked.values().height, 104);
  EXPECT_EQ(options.asked.values().scheduler, "euler_a");
  EXPECT_EQ(options.engine.threads, 2);
  EXPECT_EQ(options.engine.variant, "fp16");
  EXPECT_EQ(options.engine.device, "sim");
  EXPECT_EQ(options.engine.vram_bytes, uint64_t{1536} << 20);
  EXPECT_EQ(options.stop_after_step, 3);
  EXPECT_EQ(options.progress, ProgressMode::kJson);
}

TEST(RenderOptionsTest, APlanNeedsNoPrompt) {
  const auto parsed = Parse({"--model", "m", "--plan"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE((*parsed)->plan);
}

TEST(RenderOptionsTest, LeavesAbsentThingsToTheModelCard) {
  const auto parsed = Parse({"--model", "m", "--prompt", ""});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_FALSE((*parsed)->asked.Has("steps"));
  EXPECT_FALSE((*parsed)->asked.Has("width"));
  EXPECT_FALSE((*parsed)->asked.Has("scheduler"));
  EXPECT_EQ((*parsed)->output, "out.png");
}

TEST(RenderOptionsTest, NamesTheOptionThatIsWrong) {
  struct Case {
    std::vector<const char*> arguments;
    const char* text;
  };
  const Case cases[] = {
      {{"--model", "m"}, "--prompt"},
      {{"--prompt", "p"}, "--model"},
      {{"--model", "m", "--prompt", "p", "--seed", "-1"}, "--seed"},
      {{"--model", "m", "--prompt", "p", "--steps", "many"}, "--steps"},
      {{"--model", "m", "--prompt", "p", "--steps", "99999999999"}, "--steps"},
      {{"--model", "m", "--prompt", "p", "--progress", "loud"}, "--progress"},
      {{"--model", "m", "--prompt", "p", "--frobnicate"}, "--frobnicate"},
      {{"--model", "m", "--prompt", "p", "--device", "tpu"}, "--device"},
      {{"--model", "m", "--prompt", "p", "--vram", "4GiB"}, "--vram: only with --device sim"},
      {{"--model", "m", "--prompt", "p", "--device", "sim", "--vram", "0"},
       "--vram: must be between 1MiB and 1PiB, got 0"},
      {{"--model", "m", "--prompt", "p", "--device", "sim", "--vram", "10EiB"},
       "--vram: must be between 1MiB and 1PiB, got 10EiB"},
      {{"--model", "m", "--prompt", "p", "--device", "sim", "--vram", "much"},
       "--vram: must be a size such as 4GiB or 512MiB, got 'much'"},
      {{"--model", "m", "--prompt", "p", "--tf32", "perhaps"},
       "tf32: must be one of auto, on, off"},
      {{"--model", "m", "--prompt", "p", "--stop-after-step", "3"}, "--checkpoint-dir"},
      {{"--model", "m", "--prompt", "p", "--stop-after-step", "0"}, "--stop-after-step"},
  };
  for (const Case& test : cases) {
    const auto parsed = Parse(test.arguments);
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument) << test.text;
    EXPECT_NE(Message(parsed.status()).find(test.text), std::string::npos) << parsed.status();
  }
}

TEST(RenderOptionsTest, ExplainsItself) {
  std::ostringstream out;
  const auto parsed = Parse({"--help"}, &out);
  ASSERT_TRUE(parsed.ok());
  EXPECT_FALSE(parsed->has_value());
  EXPECT_NE(out.str().find("--checkpoint-dir"), std::string::npos);
  EXPECT_NE(out.str().find("Exit codes"), std::string::npos);
}

TEST(RenderOptionsTest, APresetGivesDeviceAndMemoryUnlessFlagsDo) {
  const auto of = [](std::vector<const char*> more) {
    more.insert(more.begin(), {"--model", "m", "--prompt", "p"});
    const auto parsed = Parse(more);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return (*parsed)->engine;
  };
  EXPECT_EQ(of({}).device, "cpu");
  EXPECT_EQ(of({"--preset", "8gb"}).device, "auto");
  EXPECT_EQ(of({"--preset", "8gb"}).vram_bytes, uint64_t{7} << 30);
  EXPECT_EQ(of({"--preset", "8gb", "--device", "sim"}).vram_bytes, uint64_t{7} << 30);
  EXPECT_EQ(of({"--preset", "8gb", "--device", "cpu"}).vram_bytes, 0u);
  EXPECT_EQ(of({"--preset", "8gb", "--vram", "2GiB"}).vram_bytes, uint64_t{2} << 30);
  const auto unknown = Parse({"--model", "m", "--prompt", "p", "--preset", "big"});
  EXPECT_EQ(Message(unknown.status()), "--preset: must be one of 4gb, 8gb, 24gb, cpu, got 'big'");
}

}  // namespace
}  // namespace phasor::render
