// The stream to one gateway: hello, then statistics every 5 seconds and progress as it happens,
// at most ten messages a second; commands come back. A lost stream is opened again with jitter;
// nothing depends on it but how fast a watcher sees things.
//
// Report is thread-safe and never blocks. Run belongs to one thread; the commands are called on
// another of the stream's own.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <grpcpp/channel.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "phasor/v1/worker.grpc.pb.h"
#include "services/worker/order.h"
#include "services/worker/report/report_outbox.h"

namespace phasor::worker {

// What a gateway may ask for. Called on threads of the streams; must not block for long.
struct WorkerCommands {
  std::function<void(const std::string& job_id)> cancel;
  // Give the job back; take no other for `rest`, so that another worker gets it.
  std::function<void(const std::string& job_id, Millis rest)> preempt;
  std::function<void()> drain;
  std::function<void(Order)> order;
};

class ReportStream {
 public:
  struct Parts {
    std::shared_ptr<grpc::Channel> channel;
    v1::Hello hello;
    std::function<v1::WorkerStats()> stats;
    WorkerCommands commands;
    // After each connection, before the next one: takes what was replaced into use.
    std::function<void()> refresh = {};
    // After an attempt that did not reach the gateway: why, so far as certificates are the reason;
    // else empty. May block for seconds.
    std::function<std::string()> explain = {};
    std::function<double()> draw;  // uniform in [0, 1)
  };
  ReportStream(std::string address, Parts parts);

  void Report(const v1::JobProgress& progress) { outbox_.Put(progress); }

  // Until stopped; keeps the stream open.
  void Run(std::stop_token stop);

 private:
  using Stream = grpc::ClientReaderWriter<v1::WorkerMessage, v1::GatewayMessage>;

  void Complain(int failures);
  // One connection, to its end. True: the gateway had answered.
  bool Converse(const std::stop_token& stop);
  void Write(Stream& stream, const std::stop_token& stop);
  void Obey(const v1::GatewayMessage& message);
  // With the answer to order `number` on its way back; 0: nobody waits for one.
  void Give(Order order, int64_t number);

  const std::string address_;
  Parts parts_;
  ReportOutbox outbox_;
  std::string complaint_;  // the last one; of the thread that runs
};

}  // namespace phasor::worker
