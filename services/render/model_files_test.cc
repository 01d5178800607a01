// Broken model directories through the real engine: each gives exit code 3 and a sentence that
// names the file.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "engine/runtime/make_engine.h"
#include "services/render/render.h"

namespace phasor::render {
namespace {

namespace fs = std::filesystem;

void FlipByte(const fs::path& file, std::streamoff at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(at);
  const char byte = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(at);
  stream.put(byte);
}

TEST(ModelFilesTest, NamesTheFileThatIsMissingTruncatedOrAltered) {
  struct Case {
    const char* what;
    const char* file;
    std::function<void(const fs::path&)> damage;
  };
  const auto remove = [](const fs::path& file) { fs::remove(file); };
  const auto halve = [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); };
  const Case cases[] = {
      {"missing index", "model_index.json", remove},
      {"missing UNet", "unet/diffusion_pytorch_model.safetensors", remove},
      {"missing config", "vae/config.json", remove},
      {"missing scheduler", "scheduler/scheduler_config.json", remove},
      {"truncated UNet", "unet/diffusion_pytorch_model.safetensors", halve},
      {"truncated VAE", "vae/diffusion_pytorch_model.safetensors", halve},
      {"truncated text encoder", "text_encoder/model.safetensors", halve},
      {"truncated config", "unet/config.json", halve},
      {"truncated scheduler", "scheduler/scheduler_config.json", halve},
      {"flipped header length", "unet/diffusion_pytorch_model.safetensors",
       [](const fs::path& file) { FlipByte(file, 7); }},
      {"flipped header", "text_encoder/model.safetensors",
       [](const fs::path& file) { FlipByte(file, 9); }},
      {"flipped bit of a weight", "unet/diffusion_pytorch_model.safetensors",
       [](const fs::path& file) { FlipByte(file, 5'000'000); }},
      {"changed tokenizer", "tokenizer/tokenizer.json",
       [](const fs::path& file) { FlipByte(file, 15'000); }},
  };
  const fs::path root = fs::path(testing::TempDir()) / ("model-files-" + std::to_string(getpid()));
  const SystemClock clock;
  const std::atomic<bool> stop = false;
  for (const Case& test : cases) {
    fs::remove_all(root);
    fs::create_directories(root);
    fs::copy(std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo", root / "demo",
             fs::copy_options::recursive);
    test.damage(root / "demo" / test.file);
    RenderOptions options;
    options.model = root / "demo";
    EXPECT_TRUE(options.asked.Read("prompt", "a red circle").ok());
    options.output = root / "out.png";
    options.engine.threads = 1;
    std::ostringstream out, err;
    const ExitCode code = Render(
        options, {.make_engine =
                      [&](const engine::EngineOptions& o) { return engine::MakeEngine(o, clock); },
                  .clock = clock,
                  .stop = stop,
                  .err_is_terminal = false,
                  .out = out,
                  .err = err});
    EXPECT_EQ(code, ExitCode::kModelUnreadable) << test.what << ": " << err.str();
    const std::string folder_or_file = fs::path(test.file).parent_path().empty()
                                           ? test.file
                                           : fs::path(test.file).parent_path().string();
    EXPECT_NE(err.str().find(folder_or_file), std::string::npos) << test.what << ": " << err.str();
    EXPECT_FALSE(fs::exists(options.output));
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace phasor::render
