// Model folders as people have them, each the tiny golden model with one change: what diffusers
// draws is drawn, what no request can mend is refused at load, and what one can at the request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "engine/runtime/make_engine.h"
#include "engine/weights/tensor_file.h"

namespace phasor::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using EngineRun = Run;  // inside a test, Run is GoogleTest's

constexpr char kUnet[] = "unet/diffusion_pytorch_model.safetensors";
constexpr char kVae[] = "vae/diffusion_pytorch_model.safetensors";
constexpr char kClip[] = "text_encoder/model.safetensors";
constexpr char kScheduler[] = "scheduler/scheduler_config.json";

class ModelFoldersTest : public testing::Test {
 protected:
  ModelFoldersTest() : root_(fs::path(testing::TempDir()) / ("folders-" + RandomToken())) {
    EngineOptions options;
    options.threads = 1;
    engine_ = MakeEngine(options, clock_).value();
    spec_.width = spec_.height = 64;
    spec_.steps = 2;
    spec_.prompt = "a red circle";
    spec_.scheduler = "ddim";
  }
  ~ModelFoldersTest() override { fs::remove_all(root_); }

  // A fresh copy of the tiny model.
  void Copy() {
    folder_ = root_ / std::to_string(count_++);
    fs::create_directories(root_);
    fs::copy(std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/tests/golden/tiny_sd/model", folder_,
             fs::copy_options::recursive);
  }

  void EditJson(const std::string& file, const std::function<void(nlohmann::json*)>& change) {
    auto json = nlohmann::json::parse(ReadFile(folder_ / file, 1 << 20).value());
    change(&json);
    ASSERT_TRUE(WriteFileDurably(folder_ / file, json.dump()).ok());
  }

  void SetScheduler(const std::string& name, const nlohmann::json& keys = {}) {
    EditJson("model_index.json", [&](auto* index) { (*index)["scheduler"][1] = name; });
    EditJson(kScheduler, [&](auto* config) {
      (*config)["_class_name"] = name;
      if (!keys.is_null()) config->update(keys);
    });
  }

  void EditTensors(const std::string& file,
                   const std::function<void(std::vector<NamedTensor>*)>& change) {
    auto tensors = ReadSafetensors(folder_ / file).value();
    change(&tensors);
    ASSERT_TRUE(WriteSafetensors(folder_ / file, tensors).ok());
  }

  StatusOr<std::shared_ptr<Model>> Load() { return engine_->Load(folder_); }

  // The pictures, or why there are none.
  StatusOr<std::vector<Image>> Draw(const PictureSpec& spec) {
    ASSIGN_OR_RETURN(const std::shared_ptr<Model> model, Load());
    ASSIGN_OR_RETURN(const std::unique_ptr<EngineRun> run, model->Start(spec));
    report_ = run->Report();
    while (run->Next().kind != UnitKind::kDone) RETURN_IF_ERROR(run->Advance());
    return run->images();
  }

  SystemClock clock_;
  std::unique_ptr<Engine> engine_;
  fs::path root_, folder_;
  int count_ = 0;
  PictureSpec spec_;
  RunReport report_;
};

NamedTensor& Named(std::vector<NamedTensor>* tensors, const std::string& name) {
  for (NamedTensor& tensor : *tensors) {
    if (tensor.name == name) return tensor;
  }
  ADD_FAILURE() << "no tensor " << name;
  return tensors->front();
}

TEST_F(ModelFoldersTest, ASchedulerThatIsNotKnownMattersToThoseOnlyWhoLeaveTheChoiceToIt) {
  struct Case {
    const char* name;
    nlohmann::json keys;
  };
  const Case cases[] = {
      {"DEISMultistepScheduler", {{"solver_order", 2}, {"algorithm_type", "deis"}}},
      {"LCMScheduler", {{"original_inference_steps", 50}}},
      {"DPMSolverMultistepScheduler", {{"solver_order", 4}}},
      {"EulerDiscreteScheduler", {{"use_karras_sigmas", true}, {"use_beta_sigmas", true}}},
  };
  for (const Case& test : cases) {
    Copy();
    SetScheduler(test.name, test.keys);
    spec_.scheduler = "ddim";
    const auto drawn = Draw(spec_);
    EXPECT_TRUE(drawn.ok()) << test.name << drawn.status();
    spec_.scheduler = "";
    const Status left = Draw(spec_).status();
    EXPECT_EQ(left.code(), StatusCode::kInvalidArgument) << test.name << left;
    EXPECT_THAT(Message(left), HasSubstr("scheduler")) << test.name;
  }
}

TEST_F(ModelFoldersTest, WhatNoSchedulerCanUseIsRefusedAtLoad) {
  Copy();
  SetScheduler("DDIMScheduler", {{"beta_start", -1}});
  const Status status = Load().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("scheduler_config.json"));
  EXPECT_THAT(Message(status), HasSubstr("beta_start"));
}

TEST_F(ModelFoldersTest, SurplusTensorsAreToldAndTheRestIsDrawn) {
  struct Case {
    const char* what;
    std::function<void()> change;
    const char* told;
  };
  const Case cases[] = {
      {"a scalar in the UNet",
       [this] {
         EditTensors(kUnet, [](auto* tensors) { tensors->push_back({"extra_scale", {1}, {1}}); });
       },
       "extra_scale"},
      {"a layer less than the text encoder's file holds",
       [this] {
         EditJson("text_encoder/config.json", [](auto* config) {
           (*config)["num_hidden_layers"] = (*config)["num_hidden_layers"].template get<int>() - 1;
         });
       },
       "text_model.encoder.layers."},
      {"a loss's weights beside the VAE's",
       [this] {
         EditTensors(kVae, [](auto* tensors) { tensors->push_back({"loss.logvar", {1}, {0}}); });
       },
       "loss.logvar"},
  };
  for (const Case& test : cases) {
    Copy();
    test.change();
    const auto drawn = Draw(spec_);
    ASSERT_TRUE(drawn.ok()) << test.what << drawn.status();
    EXPECT_THAT(report_.warnings, ElementsAre(HasSubstr(test.told))) << test.what;
  }
}

TEST_F(ModelFoldersTest, ALayerLessIsWhatClipSkipLeavesOut) {
  Copy();
  spec_.clip_skip = 1;
  spec_.guidance_scale = 1;  // clip skip is for the prompt alone
  const auto skipped = Draw(spec_).value();
  EditJson("text_encoder/config.json", [](auto* config) {
    (*config)["num_hidden_layers"] = (*config)["num_hidden_layers"].template get<int>() - 1;
  });
  spec_.clip_skip = 0;
  EXPECT_EQ(Draw(spec_).value()[0].rgb, skipped[0].rgb);
}

TEST_F(ModelFoldersTest, MissingTensorsAndWrongShapesStayErrors) {
  Copy();
  EditTensors(kUnet, [](auto* tensors) {
    std::erase_if(*tensors, [](const auto& tensor) { return tensor.name == "conv_in.bias"; });
    Named(tensors, "conv_out.bias") = {"conv_out.bias", {1}, {0}};
  });
  const Status status = Load().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("'conv_in.bias'"));
  EXPECT_THAT(Message(status), HasSubstr("'conv_out.bias'"));
}

TEST_F(ModelFoldersTest, AValueThatIsNoNumberEndsTheRunInItsPhase) {
  struct Case {
    const char* file;
    const char* tensor;
    float value;
    const char* phase;
  };
  const float infinity = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {kVae, "decoder.conv_in.bias", std::nanf(""), "decoding picture 1 of 1, 64x64"},
      {kVae, "decoder.conv_out.bias", infinity, "decoding picture 1 of 1"},
      {kUnet, "conv_out.bias", std::nanf(""), "denoising step 1 of 2, 64x64"},
      {kUnet, "conv_out.bias", infinity, "denoising step 1 of 2"},
      {kClip, "text_model.final_layer_norm.bias", std::nanf(""), "encoding the prompt"},
  };
  for (const Case& test : cases) {
    Copy();
    EditTensors(test.file,
                [&](auto* tensors) { Named(tensors, test.tensor).values[0] = test.value; });
    const Status status = Draw(spec_).status();
    EXPECT_EQ(status.code(), StatusCode::kOutOfRange) << test.tensor << status;
    EXPECT_THAT(Message(status), testing::StartsWith(test.phase)) << test.tensor;
    EXPECT_THAT(Message(status), HasSubstr("finite")) << test.tensor;
  }
}

TEST_F(ModelFoldersTest, FilesOfOneVariantAreTakenAndOfSeveralTheChosenOne) {
  Copy();
  const auto plain = Draw(spec_).value();
  const auto rename = [this](const char* file, const std::string& variant) {
    const fs::path from = folder_ / file;
    fs::path to = from;
    to.replace_extension("." + variant + ".safetensors");
    fs::rename(from, to);
    return to;
  };
  for (const char* file : {kUnet, kVae}) rename(file, "fp16");
  const fs::path clip = rename(kClip, "fp16");
  EXPECT_EQ(Draw(spec_).value()[0].rgb, plain[0].rgb);

  fs::copy(clip, folder_ / "text_encoder/model.ema.safetensors");
  const Status several = Load().status();
  EXPECT_EQ(several.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(several), HasSubstr("(ema, fp16)"));
  for (const char* variant : {"fp16", "ema"}) {
    ASSERT_TRUE(
        WriteFileDurably(folder_ / "phasor.yaml", std::string("name: tiny\nvariant: ") + variant)
            .ok());
    const Status loaded = Load().status();
    // The UNet's folder has no ema weights: that one variant of its is not taken in their place.
    EXPECT_EQ(loaded.ok(), std::string(variant) == "fp16") << variant << loaded;
  }
}

TEST_F(ModelFoldersTest, TheReportSaysWhatRanWhoeverAskedForIt) {
  Copy();
  SetScheduler("DPMSolverMultistepScheduler", {{"use_karras_sigmas", true}});
  const std::string digest = Load().value()->info().digest;
  spec_.eta = 0.5;
  const struct {
    const char* asked;
    const char* ran;
    bool karras;
    double eta;
  } cases[] = {
      {"", "DPMSolverMultistepScheduler", true, 0},
      {"dpmpp_2m", "DPMSolverMultistepScheduler", true,
       0},  // the file's key holds, as in diffusers
      {"euler", "EulerDiscreteScheduler", true, 0},
      {"ddim", "DDIMScheduler", false, 0.5},
      {"euler_a", "EulerAncestralDiscreteScheduler", false, 0},
  };
  for (const auto& test : cases) {
    spec_.scheduler = test.asked;
    ASSERT_TRUE(Draw(spec_).ok()) << test.asked;
    EXPECT_EQ(report_.scheduler, test.ran);
    EXPECT_EQ(report_.karras_sigmas, test.karras) << test.asked;
    EXPECT_EQ(report_.eta, test.eta) << test.asked;
  }
  EditJson(kScheduler, [](auto* config) { (*config)["use_karras_sigmas"] = false; });
  const std::string without = Load().value()->info().digest;
  EXPECT_NE(without, digest) << "the model's digest has the scheduler's config";
  SetScheduler("DDIMScheduler");
  EXPECT_NE(Load().value()->info().digest, without);
}

TEST_F(ModelFoldersTest, TheNetworksSizeIsTheDefault) {
  Copy();
  for (const auto& [size, width] : {std::pair{32, 256}, std::pair{64, 512}}) {
    EditJson("unet/config.json", [&](auto* config) { (*config)["sample_size"] = size; });
    EXPECT_EQ(Load().value()->info().default_width, width);
  }
}

}  // namespace
}  // namespace phasor::engine
