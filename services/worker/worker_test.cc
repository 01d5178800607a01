// The whole worker on a queue, a store and an engine in memory, with a gateway that gives orders
// over real gRPC. Time is real here, so everything that is waited for is waited for by condition.

#include "services/worker/worker.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "common/queue/memory/memory_queue.h"
#include "common/rpc/result_convert.h"
#include "common/rpc/server.h"
#include "common/rpc/spec_convert.h"
#include "common/storage/memory_store.h"
#include "engine/api/device_lost.h"
#include "engine/fake/fake_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/worker/testing/fake_gateway.h"

namespace phasor::worker {
namespace {

using ::testing::HasSubstr;

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    card_.name = "tiny";
    card_.directory = ::testing::TempDir() + "/whole_worker_model";
    std::filesystem::create_directories(card_.directory);
    std::ofstream(card_.directory + "/model_index.json") << "{}";
    server_ = *rpc::Server::Start({.address = "127.0.0.1:0"}, {&gateway_});
    config_.name = "w1";
    config_.node = "n1";
    config_.metrics = "off";
    config_.gateways = {server_->address()};
  }
  ~WorkerTest() override {
    if (ended_.valid()) (void)Stop();
  }

  void Start() {
    worker_ = std::make_unique<Worker>(
        config_, std::vector<config::ModelCard>{card_},
        Worker::Ports{.queue = queue_,
                      .store = store_,
                      .clock = clock_,
                      .make_engine = [this]() -> StatusOr<std::unique_ptr<engine::Engine>> {
                        return engine::MakeFakeEngine(fake_);
                      },
                      .draw = [] { return 0.0; },
                      .memory_percent = [this] { return memory_percent_.load(); },
                      .end_process =
                          [this](const std::string& why) {
                            process_ended_.set_value(why);
                            let_go_.set_value();
                          }});
    ended_ = std::async(std::launch::async, [this] {
      return worker_->Run([this] {
        std::this_thread::sleep_for(Millis(2));
        return signal_.exchange(false);
      });
    });
  }
  // A signal to end, and what Run says then.
  Status Stop() {
    signal_ = true;
    return ended_.get();
  }

  job::JobId Submit(const std::string& prompt, int steps = 4) {
    job::GenerateSpec spec;
    spec.model = "tiny";
    spec.picture.prompt = prompt;
    spec.picture.width = spec.picture.height = 64;
    spec.picture.steps = steps;
    spec.picture.scheduler = "ddim";
    queue::SubmitRequest request;
    request.id = job::MakeJobId("secret", "tenant", std::to_string(++submitted_));
    request.model = "tiny";
    request.tenant = "tenant";
    request.fingerprint = request.id;
    request.spec = rpc::EncodeJobSpec({.spec = spec, .trace_parent = ""});
    EXPECT_TRUE(queue_.Submit(request).ok());
    return request.id;
  }

  template <typename Condition>
  bool Eventually(const Condition& condition) {
    for (int i = 0; i < 15'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(Millis(2));
    }
    return false;
  }
  bool Reaches(const job::JobId& id, job::State state) {
    return Eventually([&] { return queue_.Get(id, {})->state == state; });
  }
  bool ReachesStep(const job::JobId& id, int step) {
    return gateway_.WaitFor([&](const FakeGateway& gateway) {
      return gateway.progress_.job_id() == id && gateway.progress_.step() >= step;
    });
  }

  const SystemClock clock_;
  queue::MemoryQueue queue_{clock_};
  storage::MemoryStore store_;
  config::ModelCard card_;
  engine::FakeOptions fake_;
  FakeGateway gateway_;
  std::unique_ptr<rpc::Server> server_;
  WorkerConfig config_;
  std::atomic<double> memory_percent_ = 0;
  std::atomic<bool> signal_ = false;
  std::promise<std::string> process_ended_;
  std::promise<void> let_go_;  // of a unit that hangs
  int submitted_ = 0;
  std::unique_ptr<Worker> worker_;
  std::future<Status> ended_;
};

TEST_F(WorkerTest, RunsJobsTellsItsGatewayAndEndsOnASignal) {
  Start();
  const job::JobId id = Submit("a red circle");
  EXPECT_TRUE(Reaches(id, job::State::kDone));
  EXPECT_TRUE(gateway_.WaitFor([](const FakeGateway& gateway) {
    return gateway.stats_.jobs_done() == 1 && gateway.stats_.state() == "idle";
  }));
  EXPECT_TRUE(gateway_.WaitFor([](const FakeGateway& gateway) {
    return gateway.hellos_.front().name() == "w1" && gateway.hellos_.front().models(0) == "tiny" &&
           gateway.hellos_.front().device() == "cpu" && gateway.stats_.device() == "cpu";
  }));
  const std::string metrics = worker_->metrics().Text();
  for (const char* series :
       {"worker_device{device=\"cpu\"} 1\n", "inference_request_count{model=\"tiny\"} 1\n",
        "inference_request_duration_seconds_count{model=\"tiny\"} 1\n",
        "model_load_time_seconds_count{model=\"tiny\"} 1\n"}) {
    EXPECT_THAT(metrics, HasSubstr(std::string("phasor_").append(series)));
  }
  EXPECT_EQ(Stop(), OkStatus());
}

TEST_F(WorkerTest, AnOrderToDrainGivesTheJobBackAndLeavesTheProcessAlive) {
  fake_.step_time = Millis(20);
  Start();
  const job::JobId id = Submit("a red circle", 500);
  ASSERT_TRUE(ReachesStep(id, 1));
  v1::GatewayMessage drain;
  drain.mutable_drain();
  ASSERT_TRUE(gateway_.Send(drain));
  EXPECT_TRUE(Reaches(id, job::State::kQueued));
  EXPECT_TRUE(gateway_.WaitForState("cordoned"));
  EXPECT_EQ(queue_.Get(id, {})->tries + queue_.Get(id, {})->crashes, 0);
  EXPECT_EQ(ended_.wait_for(Millis(300)), std::future_status::timeout) << "it lives";
  EXPECT_EQ(queue_.Get(id, {})->epoch, 1) << "it takes nothing";
  EXPECT_EQ(Stop(), OkStatus());
}

TEST_F(WorkerTest, AJobThatIsToMoveIsLeftToOthersForAMoment) {
  fake_.step_time = Millis(20);
  Start();
  const job::JobId id = Submit("a red circle", 500);
  ASSERT_TRUE(ReachesStep(id, 1));
  v1::GatewayMessage preempt;
  preempt.mutable_preempt()->set_job_id("another job");
  preempt.mutable_preempt()->set_rest_seconds(60);
  ASSERT_TRUE(gateway_.Send(preempt));
  preempt.mutable_preempt()->set_job_id(id);
  preempt.mutable_preempt()->set_rest_seconds(30);
  ASSERT_TRUE(gateway_.Send(preempt));
  ASSERT_TRUE(Reaches(id, job::State::kQueued));
  const auto grant = queue_.Take({.worker = "w2", .node = "n2", .nonce = "2", .models = {"tiny"}});
  ASSERT_TRUE(grant.ok() && grant->has_value());
  EXPECT_EQ((*grant)->fence.id, id);
  EXPECT_GT((*grant)->step, 0) << "with its checkpoint";
}

TEST_F(WorkerTest, AJobThatMadeRoomIsFollowedByTheNextAtOnce) {
  fake_.step_time = Millis(20);
  Start();
  const job::JobId id = Submit("a red circle", 30);
  ASSERT_TRUE(ReachesStep(id, 1));
  v1::GatewayMessage preempt;
  preempt.mutable_preempt()->set_job_id(id);
  ASSERT_TRUE(gateway_.Send(preempt));
  EXPECT_TRUE(Reaches(id, job::State::kDone));
  EXPECT_EQ(queue_.Get(id, {})->epoch, 2) << "given back and taken again";
  EXPECT_GT(rpc::ResultOf(*store_.ReadTerminal(id)).resumed_from_step(), 0);
}

TEST_F(WorkerTest, ALostDeviceIsReportedAndEndsTheWorker) {
  Start();
  const job::JobId id = Submit("fault:device-lost@step1");
  ASSERT_EQ(ended_.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_TRUE(engine::IsDeviceLost(ended_.get()));
  EXPECT_EQ(queue_.Get(id, {})->state, job::State::kQueued);
  EXPECT_EQ(queue_.Get(id, {})->crashes, 1);
  EXPECT_EQ(queue_.Get(id, {})->tries, 0);
}

TEST_F(WorkerTest, AUnitThatHangsEndsTheProcessFromOutside) {
  config_.stall = Millis(100);
  std::shared_future<void> let_go = let_go_.get_future();
  fake_.step_time = Millis(1);
  fake_.sleep = [let_go](Millis time) {
    if (time > std::chrono::hours(1)) let_go.wait();
  };
  Start();
  const job::JobId id = Submit("fault:hang@step2");
  auto why = process_ended_.get_future();
  ASSERT_EQ(why.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_THAT(why.get(), HasSubstr(id));
  ASSERT_TRUE(queue_.Cancel(id, {}).ok());
}

TEST_F(WorkerTest, ATestOfItselfThatHangsEndsTheProcessAsAJobsUnitDoes) {
  config_.cool_down = Millis(100);
  config_.stall = Millis(100);
  std::shared_future<void> let_go = let_go_.get_future();
  fake_.before_unit = [let_go](const PictureSpec& spec, const engine::Unit&) {
    if (spec.prompt != "a red circle") let_go.wait();
    return Internal("the node is broken");
  };
  Start();
  for (int i = 0; i < 3; ++i) {
    const job::JobId id = Submit("a red circle");
    ASSERT_TRUE(Reaches(id, job::State::kWaiting));
    ASSERT_TRUE(queue_.Cancel(id, {}).ok());
  }
  auto why = process_ended_.get_future();
  ASSERT_EQ(why.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_THAT(why.get(), HasSubstr("test of itself"));
}

TEST_F(WorkerTest, AModelThatHangsWhileItIsLoadedAheadEndsTheProcess) {
  config_.stall = Millis(100);
  std::shared_future<void> let_go = let_go_.get_future();
  fake_.load_time = std::chrono::hours(1);
  fake_.sleep = [let_go](Millis time) {
    if (time >= std::chrono::hours(1)) let_go.wait();
  };
  auto why = process_ended_.get_future();
  Start();
  ASSERT_EQ(why.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_THAT(why.get(), HasSubstr("the load of model tiny"));
}

TEST_F(WorkerTest, SeveralJobsThatFailInARowCordonItUntilItsTestOfItselfComesOut) {
  config_.cool_down = Millis(1'000);
  std::atomic<bool> broken = true;
  fake_.before_unit = [&](const PictureSpec&, const engine::Unit&) {
    return broken ? Internal("the node is broken") : OkStatus();
  };
  Start();
  for (int i = 0; i < 3; ++i) {
    const job::JobId id = Submit("a red circle");
    ASSERT_TRUE(Reaches(id, job::State::kWaiting));
    ASSERT_TRUE(queue_.Cancel(id, {}).ok());
  }
  EXPECT_TRUE(gateway_.WaitForState("cordoned"));
  const job::JobId next = Submit("a red circle");
  std::this_thread::sleep_for(Millis(300));
  EXPECT_EQ(queue_.Get(next, {})->state, job::State::kQueued);
  broken = false;
  EXPECT_TRUE(Reaches(next, job::State::kDone));
  EXPECT_TRUE(gateway_.WaitForState("idle"));
  EXPECT_EQ(queue_.Get(next, {})->tries, 0);
  EXPECT_TRUE(Stop().ok());
}

TEST_F(WorkerTest, TakesNoJobWhileTheHostsMemoryIsShort) {
  memory_percent_ = 96;
  Start();
  ASSERT_TRUE(gateway_.WaitForState("idle"));
  const job::JobId id = Submit("a red circle");
  std::this_thread::sleep_for(Millis(300));
  EXPECT_EQ(queue_.Get(id, {})->state, job::State::kQueued);
  memory_percent_ = 50;
  EXPECT_TRUE(Reaches(id, job::State::kDone));
}

TEST_F(WorkerTest, ACancelThatTheGatewayHintsAtStopsTheJobAtOnce) {
  fake_.step_time = Millis(20);
  Start();
  const job::JobId id = Submit("a red circle", 500);
  ASSERT_TRUE(ReachesStep(id, 1));
  ASSERT_TRUE(queue_.Cancel(id, {}).ok());
  v1::GatewayMessage cancel;
  cancel.mutable_cancel()->set_job_id(id);
  ASSERT_TRUE(gateway_.Send(cancel));
  EXPECT_TRUE(gateway_.WaitForState("idle"));
}

TEST_F(WorkerTest, LoadsAModelWhenAskedTo) {
  card_.name = "other";
  config_.preload = "unknown";
  Start();
  ASSERT_TRUE(gateway_.WaitForState("idle"));
  v1::GatewayMessage preload;
  preload.mutable_preload()->set_model("other");
  ASSERT_TRUE(gateway_.Send(preload));
  EXPECT_TRUE(gateway_.WaitFor([](const FakeGateway& gateway) {
    return gateway.stats_.models_resident_size() == 1 &&
           gateway.stats_.models_resident(0) == "other";
  }));
}

TEST_F(WorkerTest, SaysWhatItCanNotHave) {
  config_.metrics = "nowhere";
  config_.gateways.clear();
  Start();
  ASSERT_EQ(ended_.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_EQ(ended_.get().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::worker
