#include "engine/weights/digest.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "engine/weights/temporary_directory.h"

namespace phasor::engine {
namespace {

std::string Digest(const std::map<std::string, std::string>& files, const std::string& cache = "") {
  const auto digest = DigestOfFiles(files, {}, cache, 0);
  EXPECT_TRUE(digest.ok()) << digest.status();
  return digest.value_or("");
}

TEST(DigestTest, ChangesWithEveryBitAndEveryLabelButNotWithTheFolder) {
  const TemporaryDirectory folder;
  const std::string a = folder.Write("a", "weights");
  const std::string same = folder.Write("b", "weights");
  const std::string flipped = folder.Write("c", "weightr");
  const std::string digest = Digest({{"unet", a}});
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ(digest, Digest({{"unet", same}}));
  EXPECT_NE(digest, Digest({{"unet", flipped}}));
  EXPECT_NE(digest, Digest({{"vae", a}}));
  EXPECT_NE(digest, Digest({{"unet", a}, {"vae", same}}));
}

TEST(DigestTest, TheCacheIsUsedAndNoticesAChangedFile) {
  const TemporaryDirectory folder;
  const std::string cache = folder.path() + "/cache";
  const std::string file = folder.Write("a", "weights");
  const std::string digest = Digest({{"unet", file}}, cache);
  ASSERT_EQ(Digest({{"unet", file}}, cache), digest);

  // A remembered entry is believed as long as the file looks unchanged.
  std::string entry = std::filesystem::directory_iterator(cache)->path();
  std::string text;
  std::getline(std::ifstream(entry), text);
  std::ofstream(entry) << std::string(64, '0') + text.substr(64);
  EXPECT_NE(Digest({{"unet", file}}, cache), digest);

  folder.Write("a", "weights!");
  const std::string changed = Digest({{"unet", file}}, cache);
  EXPECT_NE(changed, digest);
  EXPECT_EQ(changed, Digest({{"unet", file}}));
}

TEST(DigestTest, AFileThatDiffersFromWhatIsExpectedIsNamed) {
  const TemporaryDirectory folder;
  const std::string file = folder.Write("a", "weights");
  const std::string flipped = folder.Write("b", "weightr");
  const std::string expected = Sha256Hex("weights");
  EXPECT_TRUE(DigestOfFiles({{"unet", file}}, {{"unet", expected}}, "").ok());
  const Status damaged = DigestOfFiles({{"unet", flipped}}, {{"unet", expected}}, "").status();
  EXPECT_EQ(damaged.code(), StatusCode::kDataLoss);
  EXPECT_NE(Message(damaged).find(flipped), std::string::npos) << damaged;
  const Status unknown = DigestOfFiles({{"unet", file}}, {{"vae", expected}}, "").status();
  EXPECT_EQ(unknown.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(unknown).find("vae"), std::string::npos) << unknown;
}

TEST(DigestTest, AMissingFileIsNamed) {
  const auto digest = DigestOfFiles({{"unet", "/nowhere/weights"}}, {}, "");
  EXPECT_EQ(digest.status().code(), StatusCode::kNotFound);
  EXPECT_NE(Message(digest.status()).find("/nowhere/weights"), std::string::npos);
}

}  // namespace
}  // namespace phasor::engine
