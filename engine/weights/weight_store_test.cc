#include "engine/weights/weight_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <c10/util/Exception.h>

#include "engine/weights/renames.h"
#include "engine/weights/temporary_directory.h"
#include "engine/weights/tensor_file.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

WeightStore Store(const std::vector<NamedTensor>& tensors, WeightOptions options = {}) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/w.safetensors";
  EXPECT_TRUE(WriteSafetensors(path, tensors).ok());
  return WeightStore(*OpenWeightFile(path), "unet", std::move(options));
}

NamedTensor Zeros(const std::string& name, const std::vector<int64_t>& shape) {
  size_t count = 1;
  for (const int64_t dimension : shape) count *= static_cast<size_t>(dimension);
  return {.name = name, .shape = shape, .values = std::vector<float>(count, 0)};
}

TEST(WeightStoreTest, ScopesSpellTheCheckpointsKeys) {
  WeightStore store = Store({Zeros("down_blocks.1.conv.weight", {2, 3})});
  const WeightScope scope(store);
  const Weight weight = (scope / "down_blocks" / size_t{1} / "conv").Get("weight", {2, 3});
  EXPECT_TRUE(weight.defined());
  EXPECT_TRUE(store.Finish().ok()) << store.Finish();
}

TEST(WeightStoreTest, FinishNamesEveryKindOfProblem) {
  WeightStore store = Store({Zeros("a", {2, 3}), Zeros("b", {1})});
  EXPECT_FALSE(store.Get("a", {3, 2}).defined());
  EXPECT_FALSE(store.Get("c", {4}).defined());
  const Status status = store.Finish();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status),
            "unet: 'a' has the shape [2, 3] where the config asks for [3, 2]; 'c' [4] is missing");
}

TEST(WeightStoreTest, TensorsThatNobodyAsksForAreToldAndNoProblem) {
  WeightStore store = Store({Zeros("a", {2}), Zeros("layers.11.weight", {2, 3}), Zeros("s", {})});
  EXPECT_TRUE(store.Get("a", {2}).defined());
  EXPECT_TRUE(store.Finish().ok()) << store.Finish();
  EXPECT_EQ(store.Surplus(),
            "unet: the file holds 2 tensors that the config does not ask for and that are not "
            "used: 'layers.11.weight'; 's'");
  EXPECT_TRUE(store.Get("layers.11.weight", {2, 3}).defined());
  EXPECT_EQ(store.Surplus(),
            "unet: the file holds 1 tensor that the config does not ask for and that is not used: "
            "'s'");
  EXPECT_TRUE(store.Get("s", {}).defined());
  EXPECT_EQ(store.Surplus(), "");
}

TEST(WeightStoreTest, ManyProblemsAreCounted) {
  WeightStore store = Store({});
  for (int i = 0; i < 8; ++i) store.Get(std::to_string(i), {1});
  EXPECT_THAT(Message(store.Finish()), HasSubstr("; and 3 more"));
}

TEST(WeightStoreTest, TheIgnoreListNeedsNoReader) {
  WeightOptions options;
  options.ignore = {"*.position_ids", "vision_model.*", "logit_scale"};
  WeightStore store = Store({Zeros("text_model.embeddings.position_ids", {1}),
                             Zeros("vision_model.x", {1}), Zeros("logit_scale", {})},
                            options);
  EXPECT_TRUE(store.Finish().ok()) << store.Finish();
  EXPECT_EQ(store.Surplus(), "");
}

TEST(WeightStoreTest, UnitKernelsAndLinearLayersAreTheSame) {
  WeightStore store =
      Store({Zeros("a", {2, 3, 1, 1}), Zeros("b", {2, 3}), Zeros("c", {2, 3, 3, 1})});
  EXPECT_EQ(store.Get("a", {2, 3})->dim(), 2);
  EXPECT_EQ(store.Get("b", {2, 3, 1, 1})->dim(), 4);
  EXPECT_FALSE(store.Get("c", {2, 3}).defined());
}

TEST(WeightStoreTest, TensorsComeInTheRequestedType) {
  WeightOptions options;
  options.dtype = at::kBFloat16;
  WeightStore store = Store({Zeros("a", {2})}, options);
  EXPECT_EQ(store.Get("a", {2})->scalar_type(), at::kBFloat16);
}

TEST(WeightStoreTest, WeightsWhosePagesWereLeftAreReadAgain) {
  WeightOptions options;
  options.dtype = at::kBFloat16;
  std::vector<float> values(5000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 128);
  WeightStore store =
      Store({{"before", {1}, {7}}, {"a", {5000}, values}, {"z", {1}, {9}}}, options);
  const Weight weight = store.Get("a", {5000});
  const at::Tensor first = *weight;
  for (const auto& [_, set] : store.sets()) {
    set->Place(Placement::kAbsent);
    set->Place(Placement::kResident);
  }
  EXPECT_TRUE(weight->equal(first));
  EXPECT_EQ(first[129].item<float>(), 1);
  EXPECT_EQ(store.Get("before", {1})->item<float>(), 7);
  EXPECT_EQ(store.Get("z", {1})->item<float>(), 9);
}

TEST(WeightStoreTest, PartsAreSetsOfTheirOwn) {
  WeightOptions options;
  options.part = [](const std::string& name) { return name.substr(0, 1); };
  WeightStore store = Store({Zeros("a.x", {2}), Zeros("b.x", {2}), Zeros("b.y", {2})}, options);
  const Weight a = store.Get("a.x", {2}), b = store.Get("b.x", {2});
  ASSERT_EQ(store.sets().size(), 2u);
  store.sets().at("b")->Place(Placement::kAbsent);
  EXPECT_EQ(a->numel(), 2);
  EXPECT_THROW(b->numel(), c10::Error);
}

TEST(WeightStoreTest, RenamesApplyAndCollisionsAreErrors) {
  WeightOptions options;
  options.rename = RenameOldVaeAttention;
  WeightStore store =
      Store({Zeros("decoder.mid_block.attentions.0.query.weight", {4, 4, 1, 1})}, options);
  EXPECT_TRUE(store.Get("decoder.mid_block.attentions.0.to_q.weight", {4, 4}).defined());
  EXPECT_TRUE(store.Finish().ok()) << store.Finish();

  options.rename = [](const std::string&) { return std::string("same"); };
  EXPECT_THAT(Message(Store({Zeros("a", {1}), Zeros("b", {1})}, options).Finish()),
              HasSubstr("both mean 'same'"));
}

}  // namespace
}  // namespace phasor::engine
