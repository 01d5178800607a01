#include "engine/runtime/run_impl.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <functional>

#include "engine/api/schedulers.h"
#include "engine/checkpoint/checkpoint.h"

namespace phasor::engine {
namespace {

using EngineRun = Run;  // inside a test, Run is GoogleTest's
using Pixels = std::vector<std::vector<uint8_t>>;

// There is nothing leaner to try when memory runs out: once more, and then the unit fails.
constexpr Strategy kLeanest = Strategy::kSequentialOffload;

// A family whose networks are one formula each. Every call may fail.
class TinyPipeline final : public Pipeline {
 public:
  explicit TinyPipeline(FakeClock& clock) : clock_(clock) { info_.digest = "tiny"; }

  const ModelInfo& info() const override { return info_; }
  const nlohmann::json& scheduler_config() const override { return scheduler_config_; }
  Status Check(const PictureSpec& spec) const override {
    return spec.clip_skip > 1 ? InvalidArgument("clip_skip: must be at most 1") : OkStatus();
  }
  std::vector<std::string> Warnings(const PictureSpec& spec) const override {
    if (spec.prompt.size() <= 10) return {};
    return {"prompt: is long"};
  }
  const std::vector<ModelPart>& parts() const override { return parts_; }
  PassPeak PassOf(UnitKind phase, const PictureSpec&, const Cuts&,
                  const PassKernels&) const override {
    return {.resident = phase == UnitKind::kStep ? 2000u : 1000u, .streamed = 0};
  }
  Cuttable CuttableOf(const PictureSpec&) const override { return {}; }
  std::unique_ptr<Conditioning> Encode(const PictureSpec& spec) override {
    Call();
    auto conditioning = std::make_unique<Conditioning>();
    conditioning->positive =
        Poisoned(at::full({1, 2, 3}, 0.1 * static_cast<double>(spec.prompt.size())));
    return conditioning;
  }
  std::vector<int64_t> LatentShape(const PictureSpec& spec) const override {
    return {1, 4, spec.height / 8, spec.width / 8};
  }
  at::Tensor Denoise(const PictureSpec&, const at::Tensor& latents, const DenoiseStep& step,
                     Conditioning& conditioning) override {
    Call();
    clock_.Advance(Millis(10));
    return Poisoned((latents * 0.3 + step.timestep * 1e-3 + conditioning.positive.mean()).tanh());
  }
  at::Tensor Decode(const at::Tensor& latents, int) override {
    Call();
    return Poisoned(Preview(latents).repeat_interleave(8, 2).repeat_interleave(8, 3));
  }
  at::Tensor Preview(const at::Tensor& latents) const override { return latents.slice(1, 0, 3); }

  // The call, from 1, that throws, and those with which the unit is tried again; 0: none.
  int fail_at = 0;
  int poison_at = 0;  // the call whose result has a value that is no number
  int calls = 0;

 private:
  void Call() {
    ++calls;
    constexpr int kTries = 9;
    if (fail_at > 0 && calls >= fail_at && calls < fail_at + kTries)
      TORCH_CHECK_WITH(OutOfMemoryError, false, "the device is full");
  }

  at::Tensor Poisoned(at::Tensor result) const {
    if (calls == poison_at) result.view(-1)[-1] = std::nanf("");
    return result;
  }

  FakeClock& clock_;
  ModelInfo info_;
  const std::vector<ModelPart> parts_;
  const nlohmann::json scheduler_config_ = {{"_class_name", "PNDMScheduler"},
                                            {"skip_prk_steps", true}};
};

class RunImplTest : public testing::Test {
 protected:
  RunImplTest() : pipeline_(std::make_shared<TinyPipeline>(clock_)) {
    spec_.prompt = "a cat";
    spec_.width = 24;
    spec_.height = 16;
    spec_.steps = 5;
    spec_.images = 2;
    spec_.seed = 7;
    spec_.scheduler = "euler_a";
  }

  std::unique_ptr<EngineRun> Start(const PictureSpec& spec) {
    auto run = RunImpl::Make({pipeline_,
                              calibration_,
                              costs_,
                              EngineFacts{"cpu", "fp32", 1, "test"},
                              device_,
                              residency_,
                              {kLeanest},
                              {},
                              &clock_},
                             spec);
    EXPECT_TRUE(run.ok()) << run.status();
    return std::move(run).value();
  }

  static Pixels Finish(EngineRun* run) {
    while (run->Next().kind != UnitKind::kDone) {
      const Status advanced = run->Advance();
      EXPECT_TRUE(advanced.ok()) << advanced;
      if (!advanced.ok()) break;
    }
    Pixels pixels;
    for (const Image& image : run->images()) pixels.push_back(image.rgb);
    return pixels;
  }

  Pixels PixelsOf(const PictureSpec& spec) { return Finish(Start(spec).get()); }

  // A checkpoint after `steps` steps.
  std::string SnapshotAfter(const PictureSpec& spec, int steps) {
    const auto run = Start(spec);
    for (int unit = 0; unit < 1 + steps; ++unit) EXPECT_TRUE(run->Advance().ok());
    return run->Snapshot().value();
  }

  FakeClock clock_;
  std::shared_ptr<const Calibration> calibration_ = std::make_shared<const Calibration>();
  std::shared_ptr<UnitCosts> costs_ = std::make_shared<UnitCosts>(calibration_);
  std::shared_ptr<Device> device_ = MakeDevice("cpu", 0).value();
  std::shared_ptr<TinyPipeline> pipeline_;
  std::shared_ptr<Residency> residency_ =
      std::make_shared<Residency>(pipeline_->parts(), device_, clock_);
  PictureSpec spec_;
};

TEST_F(RunImplTest, TellsWhatTheFamilyWarnsOf) {
  EXPECT_TRUE(Start(spec_)->Report().warnings.empty());
  spec_.prompt = "a cat and a dog";
  EXPECT_EQ(Start(spec_)->Report().warnings, std::vector<std::string>{"prompt: is long"});
}

TEST_F(RunImplTest, RunsEncodeStepsAndDecodesInOrder) {
  spec_.scheduler = "";
  const auto run = Start(spec_);
  std::vector<std::pair<UnitKind, int>> units;
  for (Unit unit = run->Next(); unit.kind != UnitKind::kDone; unit = run->Next()) {
    units.emplace_back(unit.kind, unit.index);
    if (unit.kind == UnitKind::kStep) {
      EXPECT_EQ(unit.count, 6) << "PNDM calls once more";
    }
    ASSERT_TRUE(run->Advance().ok());
  }
  using enum UnitKind;
  EXPECT_EQ(units, (std::vector<std::pair<UnitKind, int>>{{kEncode, 0},
                                                          {kStep, 0},
                                                          {kStep, 1},
                                                          {kStep, 2},
                                                          {kStep, 3},
                                                          {kStep, 4},
                                                          {kStep, 5},
                                                          {kDecode, 0},
                                                          {kDecode, 1}}));
  EXPECT_EQ(run->Advance().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(run->Report().scheduler, "PNDMScheduler");
  ASSERT_EQ(run->images().size(), 2u);
  EXPECT_EQ(run->images()[1].width, 24);
  EXPECT_EQ(run->images()[1].height, 16);
}

TEST_F(RunImplTest, RefusesWhatFamilyOrSchedulerCannotDo) {
  const auto make = [&](const PictureSpec& spec) {
    return RunImpl::Make(
               {pipeline_, calibration_, costs_, {}, device_, residency_, {kLeanest}, {}, &clock_},
               spec)
        .status();
  };
  spec_.clip_skip = 2;
  EXPECT_EQ(make(spec_).code(), StatusCode::kInvalidArgument);
  spec_.clip_skip = 0;
  spec_.steps = 100'000;
  EXPECT_EQ(make(spec_).code(), StatusCode::kInvalidArgument);
}

TEST_F(RunImplTest, ALibrarysTextIsNeverTheWholeMessage) {
  const char* const phases[] = {"encoding the prompt: ", "denoising step 1 of 5, 24x16: ",
                                "denoising step 1 of 5, 24x16: ", "denoising step 2 of 5, 24x16: "};
  for (int call = 1; call <= 4; ++call) {
    pipeline_->calls = 0;
    pipeline_->fail_at = call;
    const auto run = Start(spec_);
    Status status;
    while (status.ok()) status = run->Advance();
    EXPECT_EQ(Message(status).find(phases[call - 1]), 0u) << status;
    EXPECT_NE(Message(status).find("the device is full"), std::string::npos) << status;
  }
}

// At every call there is: the state stays the one before, so the run can go on all the same.
TEST_F(RunImplTest, ValuesThatAreNoNumbersEndTheUnitAndAreNotKept) {
  for (const char* scheduler : {"euler_a", "pndm"}) {
    spec_.scheduler = scheduler;
    pipeline_->calls = pipeline_->poison_at = 0;
    const Pixels whole = PixelsOf(spec_);
    const int calls = pipeline_->calls;
    for (int n = 1; n <= calls; ++n) {
      pipeline_->calls = 0;
      pipeline_->poison_at = n;
      const auto run = Start(spec_);
      int failures = 0;
      while (run->Next().kind != UnitKind::kDone && failures < 2) {
        const Status advanced = run->Advance();
        if (advanced.ok()) continue;
        ++failures;
        EXPECT_EQ(advanced.code(), StatusCode::kOutOfRange) << advanced;
      }
      EXPECT_EQ(failures, 1) << scheduler << ", call " << n;
      EXPECT_EQ(Finish(run.get()), whole) << scheduler << ", call " << n;
    }
  }
}

// Two images and ancestral noise: the first image's step must be undone when the second's fails.
TEST_F(RunImplTest, FailsAtEveryPointAndGoesOnToTheSameBytes) {
  for (const char* scheduler : {"euler_a", "pndm", "dpmpp_2m"}) {
    spec_.scheduler = scheduler;
    pipeline_->calls = pipeline_->fail_at = 0;
    const Pixels whole = PixelsOf(spec_);
    const int calls = pipeline_->calls;
    for (int n = 1; n <= calls; ++n) {
      pipeline_->calls = 0;
      pipeline_->fail_at = n;
      const auto run = Start(spec_);
      int failures = 0;
      while (run->Next().kind != UnitKind::kDone) {
        const Unit before = run->Next();
        const Status advanced = run->Advance();
        if (advanced.ok()) continue;
        ++failures;
        EXPECT_EQ(advanced.code(), StatusCode::kResourceExhausted) << advanced;
        EXPECT_EQ(run->Next().kind, before.kind);
        EXPECT_EQ(run->Next().index, before.index);
      }
      EXPECT_EQ(failures, 1);
      EXPECT_EQ(Finish(run.get()), whole) << scheduler << ", call " << n;
    }
  }
}

TEST_F(RunImplTest, ResumesAtEveryStepOfEverySchedulerToTheSameBytes) {
  spec_.eta = 0.7;  // DDIM draws noise too
  for (const SchedulerName& name : SchedulerNames()) {
    spec_.scheduler = name.alias;
    const Pixels whole = PixelsOf(spec_);
    const int count = [&] {
      const auto run = Start(spec_);
      EXPECT_TRUE(run->Advance().ok());
      return run->Next().count;
    }();
    for (int k = 1; k <= count; ++k) {
      const std::string snapshot = SnapshotAfter(spec_, k);
      const auto run = Start(spec_);
      ASSERT_TRUE(run->Restore(snapshot).ok());
      EXPECT_EQ(run->Snapshot().value(), snapshot) << name.alias << " " << k;
      if (k < count) {
        EXPECT_EQ(run->Next().kind, UnitKind::kEncode) << "the text is encoded anew";
        ASSERT_TRUE(run->Advance().ok());
        EXPECT_EQ(run->Next().index, k);
      } else {
        EXPECT_EQ(run->Next().kind, UnitKind::kDecode) << "nothing needs the text any more";
      }
      EXPECT_EQ(run->Report().resumed_from_step, k);
      EXPECT_EQ(Finish(run.get()), whole) << name.alias << " " << k;
    }
  }
}

TEST_F(RunImplTest, DrawsAnImageAloneAsAmongOthers) {
  spec_.images = 3;
  const Pixels together = PixelsOf(spec_);
  for (int i = 0; i < 3; ++i) {
    PictureSpec alone = spec_;
    alone.images = 1;
    alone.seed = spec_.seed + i;
    EXPECT_EQ(PixelsOf(alone)[0], together[i]) << i;
  }
}

TEST_F(RunImplTest, SnapshotsOnlyBetweenTheFirstStepAndTheFirstDecoding) {
  const auto run = Start(spec_);
  EXPECT_EQ(run->Snapshot().status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(run->Advance().ok());
  EXPECT_EQ(run->Snapshot().status().code(), StatusCode::kFailedPrecondition);
  const std::string snapshot = SnapshotAfter(spec_, 2);
  EXPECT_EQ(run->Restore(snapshot).code(), StatusCode::kFailedPrecondition) << "it has begun";
  Finish(run.get());
  EXPECT_EQ(run->Snapshot().status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(RunImplTest, RefusesHostileCheckpointsAndStartsAtStepZero) {
  spec_.scheduler = "pndm";
  const std::string whole = SnapshotAfter(spec_, 3);
  const std::string fingerprint = Start(spec_)->Report().fingerprint;
  const Checkpoint good = ReadCheckpoint(whole, {fingerprint, whole.size(), 6}).value();
  struct Case {
    const char* what;
    std::function<void(Checkpoint*)> change;
    StatusCode code = StatusCode::kDataLoss;
  };
  const Case cases[] = {
      {"another fingerprint", [](auto* c) { c->fingerprint[0] ^= 1; },
       StatusCode::kFailedPrecondition},
      {"step 0", [](auto* c) { c->step = 0; }},
      {"a step past the end", [](auto* c) { c->step = 7; }},
      {"no latents", [](auto* c) { c->tensors.erase("1.latents"); }},
      {"no noise", [](auto* c) { c->tensors.erase("0.noise"); }},
      {"latents of another shape",
       [](auto* c) {
         c->tensors["0.latents"].shape = {1, 4, 3, 2};
       }},
      {"latents of another type",
       [](auto* c) {
         c->tensors["0.latents"] = {CheckpointDtype::kU8, {4}, "abcd"};
       }},
      {"noise of another size",
       [](auto* c) {
         c->tensors["0.noise"] = {CheckpointDtype::kU8, {1}, "a"};
       }},
      {"noise of nonsense",
       [](auto* c) {
         c->tensors["0.noise"].bytes.assign(c->tensors["0.noise"].bytes.size(), '\xFF');
       }},
      {"noise of another type",
       [](auto* c) {
         c->tensors["0.noise"] = {CheckpointDtype::kF32, {1}, "abcd"};
       }},
      {"history of another shape",
       [](auto* c) {
         for (auto& [name, tensor] : c->tensors) {
           if (name.starts_with("0.history.")) tensor = {CheckpointDtype::kF32, {1}, "abcd"};
         }
       }},
      {"a history nobody knows",
       [](auto* c) { c->tensors["0.history.x"] = c->tensors["0.latents"]; }},
      {"no history",
       [](auto* c) {
         std::erase_if(c->counters, [](auto& e) { return e.first.starts_with("0."); });
         std::erase_if(c->tensors, [](auto& e) { return e.first.starts_with("0.history."); });
       }},
      {"a counter out of range",
       [](auto* c) {
         for (auto& [name, value] : c->counters) value = INT64_MIN;
       }},
      {"far more than the run needs",
       [](auto* c) {
         c->tensors["x"] = {CheckpointDtype::kU8, {1 << 20}, std::string(1 << 20, 'x')};
       }},
  };
  const Pixels pixels = PixelsOf(spec_);
  for (const Case& test : cases) {
    Checkpoint forged = good;
    test.change(&forged);
    const auto run = Start(spec_);
    const Status status = run->Restore(WriteCheckpoint(forged));
    EXPECT_EQ(status.code(), test.code) << test.what << ": " << status;
    EXPECT_FALSE(run->Report().resumed);
    EXPECT_EQ(Finish(run.get()), pixels) << test.what;
  }
  for (size_t size = 0; size < whole.size(); size += 101) {
    EXPECT_EQ(Start(spec_)->Restore(whole.substr(0, size)).code(), StatusCode::kDataLoss) << size;
  }
}

TEST_F(RunImplTest, StartsFromGivenNoise) {
  spec_.scheduler = "ddim";
  const auto run = Start(spec_);
  const std::string fingerprint = run->Report().fingerprint;
  NamedTensor noise{"latents", {2, 4, 2, 3}, std::vector<float>(48, 0.25f)};
  ASSERT_TRUE(run->tensors()->SetInitialNoise(noise).ok());
  EXPECT_NE(run->Report().fingerprint, fingerprint);
  const Pixels given = Finish(run.get());
  EXPECT_EQ(given[0], given[1]) << "equal noise, equal pictures";
  EXPECT_EQ(run->tensors()->SetInitialNoise(noise).code(), StatusCode::kFailedPrecondition);

  noise.shape = {1, 4, 2, 3};
  const Status wrong = Start(spec_)->tensors()->SetInitialNoise(noise);
  EXPECT_EQ(wrong.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(wrong).find("[2, 4, 2, 3]"), std::string::npos) << wrong;
}

TEST_F(RunImplTest, ShowsLatentsEmbeddingsAndPreviewsOnceTheyExist) {
  const auto run = Start(spec_);
  EXPECT_EQ(run->tensors()->Latents().status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(run->tensors()->Embeddings().status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(run->Preview(0).status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(run->Advance().ok());
  EXPECT_EQ(run->tensors()->Embeddings().value().size(), 1u) << "guidance is off";
  ASSERT_TRUE(run->Advance().ok());
  EXPECT_EQ(run->tensors()->Latents().value().shape, (std::vector<int64_t>{2, 4, 2, 3}));
  EXPECT_EQ(run->Preview(1).value().width, 3);
  EXPECT_EQ(run->Preview(2).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(RunImplTest, PredictsFromWhatUnitsTook) {
  const auto run = Start(spec_);
  ASSERT_TRUE(run->Advance().ok());
  EXPECT_EQ(run->Next().predicted_seconds, 0);
  ASSERT_TRUE(run->Advance().ok());
  EXPECT_NEAR(run->Next().predicted_seconds, 0.02, 1e-9) << "10 ms for each of two images";
  EXPECT_NEAR(run->Report().denoiser_seconds, 0.02, 1e-9);
  EXPECT_EQ(run->Report().units.size(), 2u);
}

}  // namespace
}  // namespace phasor::engine
