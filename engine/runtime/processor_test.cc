#include "engine/runtime/processor.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(OneDnnLevelTest, IsTheProcessorsUnlessALowerOneIsNamed) {
  const struct {
    const char* hardware;
    const char* limit;
    const char* level;
  } cases[] = {
      {"avx512_core", "", "avx512_core"},
      {"avx512_core", "AVX2", "avx2"},
      {"avx512_core", "avx2", "avx2"},
      {"avx512_core", "SSE41", "sse41"},
      {"avx512_core", "AVX2_VNNI_2", "avx2"},
      {"avx512_core", "DEFAULT", "avx512_core"},
      {"avx512_core", "ALL", "avx512_core"},
      {"avx512_core", "AVX512_CORE", "avx512_core"},
      {"avx512_core", "AVX512_CORE_AMX", "avx512_core"},
      {"avx512_core", "AVX10_1_512", "avx512_core"},
      {"avx512_core", "nonsense", "avx512_core"},
      {"avx512_core", "none", "avx512_core"},
      {"avx2", "AVX512_CORE_BF16", "avx2"},
      {"avx2", "AVX", "avx"},
      {"sse41", "AVX2", "sse41"},
      {"none", "AVX2", "none"},
      {"something new", "", "none"},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(OneDnnLevel(test.hardware, test.limit), test.level)
        << test.hardware << " " << test.limit;
  }
}

TEST(DescribeProcessorTest, NamesEveryLibraryAndStaysTheSame) {
  const std::string text = DescribeProcessor();
  for (const char* part : {"caches ", "ATen ", "oneDNN ", "MKL ", "libm "}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_EQ(text.find('?'), std::string::npos) << "MKL does not say what it sees: " << text;
  EXPECT_EQ(text, DescribeProcessor());
}

}  // namespace
}  // namespace phasor::engine
