// Holds cmake/tsan_grpc.cc to its promise: what gRPC orders is no race, and what it does not order
// still is one. Built with the thread sanitizer only.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "grpc/health/v1/health.grpc.pb.h"

namespace phasor {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// Finishes its call on a thread of its own and reads in the callback what that thread wrote.
class HandedOver final : public grpc::ServerUnaryReactor {
 public:
  explicit HandedOver(std::atomic<int>* sum) : sum_(sum), thread_([this] { Work(); }) {}

  void OnDone() override {
    *sum_ += value_;
    thread_.detach();
    delete this;
  }

 private:
  void Work() {
    value_ = 7;
    Finish(grpc::Status::OK);
  }

  std::atomic<int>* const sum_;
  int value_ = 0;
  std::thread thread_;
};

// Reads in OnDone what OnCancel wrote. Another thread, which OnCancel tells in a way that orders
// nothing, finishes the call.
class CutOff final : public grpc::ServerUnaryReactor {
 public:
  explicit CutOff(std::atomic<int>* sum) : sum_(sum), thread_([this] { Work(); }) {}

  void OnCancel() override {
    value_ = 7;
    canceled_.store(true, std::memory_order_relaxed);
  }
  void OnDone() override {
    *sum_ += value_;
    thread_.detach();
    delete this;
  }

 private:
  void Work() {
    while (!canceled_.load(std::memory_order_relaxed)) std::this_thread::yield();
    Finish(grpc::Status::CANCELLED);
  }

  std::atomic<int>* const sum_;
  int value_ = 0;
  std::atomic<bool> canceled_{false};
  std::thread thread_;
};

template <typename Reactor>
class Service final : public Health::CallbackService {
 public:
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext*, const HealthCheckRequest*,
                                  HealthCheckResponse*) override {
    return new Reactor(&sum_);
  }

  int sum() const { return sum_; }

 private:
  std::atomic<int> sum_{0};
};

// Its handlers count without a lock, two at a time: each waits for the other, in a way that orders
// nothing, so that neither can have ended before the other began.
class RacingService final : public Health::CallbackService {
 public:
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* call, const HealthCheckRequest*,
                                  HealthCheckResponse*) override {
    ++calls_;
    inside_.fetch_add(1, std::memory_order_relaxed);
    while (inside_.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  int calls_ = 0;
  std::atomic<int> inside_{0};
};

// What becomes of a call.
enum class End { kAnswer, kDeadline };

// A server with `service`, and `clients` threads that make `calls` calls each.
void Serve(Health::CallbackService* service, int clients, int calls, End end = End::kAnswer) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = Health::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&stub, calls, end] {
      for (int call = 0; call < calls; ++call) {
        grpc::ClientContext context;
        HealthCheckResponse response;
        if (end == End::kDeadline) {
          context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
        }
        EXPECT_EQ(stub->Check(&context, HealthCheckRequest(), &response).ok(), end == End::kAnswer);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  server->Shutdown();
}

bool Failed(int status) { return WIFEXITED(status) && WEXITSTATUS(status) != 0; }

TEST(GrpcOrderTest, WhatACallHandsToGrpcIsOrderedBeforeItsCallback) {
  Service<HandedOver> service;
  Serve(&service, 1, 20);
  EXPECT_EQ(service.sum(), 140);
}

TEST(GrpcOrderTest, OnCancelIsOrderedBeforeOnDone) {
  Service<CutOff> service;
  Serve(&service, 1, 5, End::kDeadline);
  EXPECT_EQ(service.sum() % 7, 0);
  EXPECT_GT(service.sum(), 0);
}

TEST(GrpcOrderDeathTest, TwoHandlersThatShareWithoutALockAreReported) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        RacingService service;
        Serve(&service, 2, 1);
        std::exit(0);
      },
      Failed, "ThreadSanitizer: data race");
}

}  // namespace
}  // namespace phasor
