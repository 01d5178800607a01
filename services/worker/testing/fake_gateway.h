// A gateway as workers see it, for tests: it welcomes, remembers what it is told and sends the
// commands that the test asks for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "phasor/v1/worker.grpc.pb.h"

namespace phasor::worker {

class FakeGateway final : public v1::WorkerReport::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::GatewayMessage, v1::WorkerMessage>;

  grpc::Status Report(grpc::ServerContext*, Stream* stream) override {
    v1::WorkerMessage message;
    while (stream->Read(&message)) {
      const std::lock_guard lock(mu_);
      if (message.has_hello()) Welcome(message.hello(), stream);
      if (message.has_stats()) stats_ = message.stats();
      if (message.has_done()) dones_.push_back(message.done());
      if (message.has_progress()) {
        progress_ = message.progress();
        ++progresses_;
      }
      changed_.notify_all();
      if (hang_up_) break;
    }
    const std::lock_guard lock(mu_);
    hang_up_ = false;
    stream_ = nullptr;
    return grpc::Status::OK;
  }

  // False: no worker is connected.
  bool Send(const v1::GatewayMessage& message) {
    const std::lock_guard lock(mu_);
    return stream_ != nullptr && stream_->Write(message);
  }
  // Ends the stream at the next message.
  void HangUp() {
    const std::lock_guard lock(mu_);
    hang_up_ = true;
  }

  // Waits until `condition(*this)` holds; it may read the members below. False: it never did.
  template <typename Condition>
  bool WaitFor(const Condition& condition) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return condition(*this); });
  }
  bool WaitForState(const std::string& state) {
    return WaitFor([&](const FakeGateway& gateway) { return gateway.stats_.state() == state; });
  }

  std::vector<v1::Hello> hellos_;  // guarded by WaitFor
  v1::WorkerStats stats_;          // newest
  v1::JobProgress progress_;       // newest
  int progresses_ = 0;
  std::vector<v1::OrderDone> dones_;

 private:
  void Welcome(const v1::Hello& hello, Stream* stream) {
    hellos_.push_back(hello);
    stream_ = stream;
    v1::GatewayMessage welcome;
    welcome.mutable_welcome()->set_gateway("test");
    stream->Write(welcome);
  }

  std::mutex mu_;
  std::condition_variable changed_;
  Stream* stream_ = nullptr;
  bool hang_up_ = false;
};

}  // namespace phasor::worker
