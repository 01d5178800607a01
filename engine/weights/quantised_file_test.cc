#include "engine/weights/quantised_file.h"

#include <filesystem>
#include <fstream>

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "engine/weights/temporary_directory.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

// A set of a linear layer, a convolution and a bias.
class QuantisedFileTest : public testing::Test {
 protected:
  static std::shared_ptr<WeightSet> MakeSet(int64_t rows = 8) {
    auto set = std::make_shared<WeightSet>("unet");
    auto generator = at::make_generator<at::CPUGeneratorImpl>(1);
    set->Add("a.weight", at::randn({rows, 33}, generator), at::kFloat, {.quantises = true});
    set->Add("a.bias", at::full({8}, 2.0f), at::kFloat);
    set->Add("c.weight", at::randn({4, 4, 3, 3}, generator), at::kFloat,
             {.packs = true, .quantises = true});
    return set;
  }
  StatusOr<std::string> Bring(WeightSet* set, WeightForm form = WeightForm::kNf4) {
    written_ = 0;
    return BringForm(form, source_, set, [this] { ++written_; });
  }
  std::string File() const {
    for (const auto& entry : fs::directory_iterator(source_.cache_directory)) {
      return entry.path().string();
    }
    return "";
  }

  const c10::InferenceMode no_autograd_;
  const TemporaryDirectory directory_;
  QuantisedSource source_ = {directory_.path() + "/cache", "d1", "unet"};
  int written_ = 0;
};

TEST_F(QuantisedFileTest, IsMadeOnceAndReadFromThenOn) {
  const auto first = MakeSet(), second = MakeSet();
  EXPECT_EQ(Bring(first.get()).value(), "");
  EXPECT_EQ(written_, 2);
  EXPECT_TRUE(first->Has(WeightForm::kNf4));
  EXPECT_FALSE(first->Has(WeightForm::kFp8));
  EXPECT_EQ(Bring(second.get()).value(), "");
  EXPECT_EQ(written_, 0);
  for (size_t i = 0; i < 2; ++i) {
    const auto form = static_cast<size_t>(WeightForm::kNf4);
    const Quantised& made = first->Quantising()[i]->host_forms[form];
    const Quantised& read = second->Quantising()[i]->host_forms[form];
    EXPECT_TRUE(made.codes.equal(read.codes));
    EXPECT_TRUE(made.scales.equal(read.scales));
    EXPECT_EQ(made.form, i == 0 ? WeightForm::kNf4 : WeightForm::kFp8) << "a convolution";
  }
}

TEST_F(QuantisedFileTest, WhatIsDamagedOrOfOtherWeightsIsMadeAnewAndSaid) {
  struct Case {
    std::string said;
    std::function<void(std::string& bytes)> damage;
  };
  const Case cases[] = {
      {"quantised weights are made anew",
       [](std::string& bytes) { bytes.resize(bytes.size() / 2); }},
      {"quantised weights are made anew", [](std::string& bytes) { bytes = "not safetensors"; }},
      {"its checksum is wrong", [](std::string& bytes) { bytes[bytes.size() - 40] ^= 1; }},
      {"its checksum is wrong", [](std::string& bytes) { bytes.back() ^= 1; }},
      {"its model is not d1",
       [](std::string& bytes) { bytes.replace(bytes.find("\"d1\""), 4, "\"d2\""); }},
      {"'b.weight' is not 'a.weight'",
       [](std::string& bytes) { bytes.replace(bytes.find("a.weight\""), 8, "b.weight"); }},
  };
  const auto right = MakeSet();
  ASSERT_TRUE(Bring(right.get()).ok());
  const std::string good = ReadFile(File(), 1 << 20).value();
  for (const Case& test : cases) {
    std::string bytes = good;
    test.damage(bytes);
    std::ofstream(File(), std::ios::binary) << bytes;
    const auto set = MakeSet();
    const auto told = Bring(set.get());
    ASSERT_TRUE(told.ok()) << told.status();
    EXPECT_THAT(*told, HasSubstr(test.said));
    EXPECT_EQ(written_, 2);
    EXPECT_EQ(ReadFile(File(), 1 << 20).value(), good);
  }
}

TEST_F(QuantisedFileTest, AModelOfAnotherShapeUnderTheSameDigestIsNotTakenForIt) {
  ASSERT_TRUE(Bring(MakeSet().get()).ok());
  const auto other = MakeSet(9);
  EXPECT_THAT(Bring(other.get()).value(), HasSubstr("made anew"));
}

TEST_F(QuantisedFileTest, WithoutACacheThatCanBeWrittenItIsMadeForThisProcess) {
  const auto set = MakeSet();
  source_.cache_directory = "";
  EXPECT_EQ(Bring(set.get()).value(), "");
  EXPECT_TRUE(set->Has(WeightForm::kNf4));
  const auto other = MakeSet();
  source_.cache_directory = directory_.Write("file", "in the way") + "/cache";
  EXPECT_THAT(Bring(other.get()).value(), HasSubstr("quantised weights are not kept"));
  EXPECT_TRUE(other->Has(WeightForm::kNf4));
}

TEST_F(QuantisedFileTest, AWeightThatIsNotFiniteIsNamed) {
  auto set = std::make_shared<WeightSet>("unet");
  set->Add("b.weight", at::full({2, 2}, std::numeric_limits<float>::infinity()), at::kFloat,
           {.quantises = true});
  const auto told = Bring(set.get());
  EXPECT_EQ(told.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(told.status()),
              HasSubstr("unet: 'b.weight' holds a value that is not finite"));
  EXPECT_TRUE(fs::is_empty(source_.cache_directory)) << "nothing is left behind";
}

}  // namespace
}  // namespace phasor::engine
