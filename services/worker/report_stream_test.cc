#include "services/worker/report_stream.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

v1::JobProgress Progress(const std::string& id, int step, int preview = -1) {
  v1::JobProgress progress;
  progress.set_job_id(id);
  progress.set_step(step);
  if (preview >= 0) {
    progress.set_preview_image(preview);
    progress.set_preview_png("png");
  }
  return progress;
}

TEST(ReportOutboxTest, KeepsOnlyTheNewestProgressAndPreviews) {
  ReportOutbox outbox;
  for (int step = 0; step < 1'000; ++step) {
    outbox.Put(Progress("a", step));
    outbox.Put(Progress("a", step, 0));
    outbox.Put(Progress("a", step, 1));
  }
  EXPECT_EQ(outbox.Next(Millis(0))->step(), 999);
  EXPECT_EQ(outbox.Next(Millis(0))->preview_image(), 0);
  EXPECT_EQ(outbox.Next(Millis(0))->preview_image(), 1);
  EXPECT_FALSE(outbox.Next(Millis(0)).has_value());
}

TEST(ReportOutboxTest, ForgetsPreviewsOfTheJobBefore) {
  ReportOutbox outbox;
  outbox.Put(Progress("a", 1));
  outbox.Put(Progress("a", 1, 3));
  outbox.Put(Progress("b", 0));
  EXPECT_EQ(outbox.Next(Millis(0))->job_id(), "b");
  EXPECT_FALSE(outbox.Next(Millis(0)).has_value());
}

TEST(ReportOutboxTest, SaysNothingOnceClosed) {
  ReportOutbox outbox;
  outbox.Put(Progress("a", 1));
  outbox.Close();
  EXPECT_FALSE(outbox.Next(Millis(60'000)).has_value());
}

// A gateway that welcomes, sends one command and hangs up on the first connection.
class Gateway final : public v1::WorkerReport::Service {
 public:
  grpc::Status Report(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::GatewayMessage, v1::WorkerMessage>* stream) override {
    v1::WorkerMessage message;
    while (stream->Read(&message)) {
      const std::lock_guard lock(mu_);
      if (message.has_hello()) {
        ++hellos_;
        v1::GatewayMessage answer;
        answer.mutable_welcome()->set_gateway("g");
        stream->Write(answer);
        answer.mutable_cancel()->set_job_id("job-" + std::to_string(hellos_));
        stream->Write(answer);
      }
      if (message.has_stats()) states_.push_back(message.stats().state());
      if (message.has_progress()) last_ = message.progress();
      changed_.notify_all();
      if (hellos_ == 1 && message.has_stats()) return grpc::Status::OK;
    }
    return grpc::Status::OK;
  }

  template <typename Condition>
  bool WaitFor(const Condition& condition) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::seconds(30), condition);
  }

  int hellos_ = 0;
  std::vector<std::string> states_;
  v1::JobProgress last_;

 private:
  std::mutex mu_;
  std::condition_variable changed_;
};

TEST(ReportStreamTest, ReportsObeysAndOpensAgain) {
  Gateway gateway;
  const auto server = rpc::Server::Start({.address = "127.0.0.1:0"}, {&gateway});
  ASSERT_TRUE(server.ok()) << server.status();
  std::mutex mu;
  std::condition_variable obeyed;
  std::string canceled;
  v1::Hello hello;
  hello.set_name("w1");
  v1::WorkerStats stats;
  stats.set_state("idle");
  ReportStream stream("g", {.channel = *rpc::MakeChannel({.address = (*server)->address()}),
                            .hello = hello,
                            .stats = [&] { return stats; },
                            .commands = {.cancel =
                                             [&](const std::string& id) {
                                               const std::lock_guard lock(mu);
                                               canceled = id;
                                               obeyed.notify_all();
                                             },
                                         .preempt = [](const std::string&, Millis) {},
                                         .drain = [] {},
                                         .preload = [](const std::string&) {}},
                            .draw = [] { return 0.0; }});
  std::jthread running([&](std::stop_token stop) { stream.Run(stop); });
  ASSERT_TRUE(gateway.WaitFor([&] { return gateway.hellos_ == 2; })) << "it opens again";
  stream.Report(Progress("job-2", 5));
  EXPECT_TRUE(gateway.WaitFor([&] { return gateway.last_.step() == 5; }));
  {
    std::unique_lock lock(mu);
    EXPECT_TRUE(
        obeyed.wait_for(lock, std::chrono::seconds(30), [&] { return canceled == "job-2"; }));
  }
  running.request_stop();
  running.join();
  EXPECT_EQ(gateway.states_.front(), "idle");
}

}  // namespace
}  // namespace phasor::worker
