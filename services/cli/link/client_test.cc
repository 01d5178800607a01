#include "services/cli/link/client.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/server_context.h>

#include "common/base/hash.h"
#include "common/rpc/server.h"
#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

// A gateway that is away for the first calls, and whose first stream breaks.
class Images final : public v1::Images::Service {
 public:
  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override {
    {
      const std::lock_guard lock(mu_);
      keys_.push_back(request->request().idempotency_key());
    }
    if (away-- > 0) return {away_code, "going away"};
    response->set_job_id("job");
    return grpc::Status::OK;
  }

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchEvent>* stream) override {
    ++watches;
    v1::WatchEvent event;
    event.mutable_job()->set_id("job");
    event.mutable_job()->set_state(v1::DIFFUSION_RUNNING);
    stream->Write(event);
    if (watches == 1) return {grpc::StatusCode::UNAVAILABLE, "shutting down"};
    if (endless) {
      on_endless();
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    }
    event.mutable_job()->set_state(v1::DONE);
    stream->Write(event);
    return grpc::Status::OK;
  }

  grpc::Status GetResult(grpc::ServerContext*, const v1::GetResultRequest*,
                         grpc::ServerWriter<v1::ResultChunk>* stream) override {
    for (int image = 0; image < 2; ++image) {
      for (const char* part : {"ab", "cd"}) {
        v1::ResultChunk chunk;
        if (part[0] == 'a') {
          chunk.mutable_image()->set_index(image);
          chunk.mutable_image()->set_size_bytes(4 + missing);
          chunk.mutable_image()->set_sha256(Sha256Hex(damaged ? "abcD" : "abcd"));
        }
        chunk.set_data(part);
        stream->Write(chunk);
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status Get(grpc::ServerContext*, const v1::GetJobRequest*, v1::Job*) override {
    return {grpc::StatusCode::NOT_FOUND, "there is no such job"};
  }

  std::vector<std::string> keys() {
    const std::lock_guard lock(mu_);
    return keys_;
  }

  std::atomic<int> away = 0;
  std::atomic<grpc::StatusCode> away_code = grpc::StatusCode::UNAVAILABLE;
  std::atomic<int> watches = 0;
  std::atomic<int> missing = 0;
  std::atomic<bool> damaged = false;
  std::atomic<bool> endless = false;
  std::function<void()> on_endless;  // set before `endless`

 private:
  std::mutex mu_;
  std::vector<std::string> keys_;
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() : server_(*rpc::Server::Start({.address = "127.0.0.1:0"}, {&images_})) {
    client_ = *Client::Make({{server_->address()}}, interrupt_);
  }

  // Its thread waits for signals for as long as the process lives.
  static inline Interrupt& interrupt_ = *std::make_unique<Interrupt>().release();
  Images images_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, RepeatsASubmitWithTheSameKey) {
  images_.away = 2;
  v1::GenerateRequest request;
  request.set_idempotency_key("k");
  const auto response = client_->Submit(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(images_.keys(), (std::vector<std::string>{"k", "k", "k"}));
}

TEST_F(ClientTest, ACallThatAnEndingServerCancelledIsRepeated) {
  images_.away = 1;
  images_.away_code = grpc::StatusCode::CANCELLED;
  const auto response = client_->Submit(v1::GenerateRequest());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(images_.keys().size(), 2u);
}

TEST_F(ClientTest, OpensABrokenWatchAgain) {
  int events = 0;
  const auto job = client_->Watch("job", false, [&](const v1::WatchEvent&) { ++events; });
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::DONE);
  EXPECT_EQ(images_.watches, 2);
  EXPECT_EQ(events, 3);
}

TEST_F(ClientTest, PutsPicturesTogetherAndMissesNone) {
  const auto pictures = client_->Pictures("job");
  ASSERT_TRUE(pictures.ok()) << pictures.status();
  ASSERT_EQ(pictures->size(), 2u);
  EXPECT_EQ((*pictures)[1].data(), "abcd");
  images_.missing = 1;
  EXPECT_EQ(client_->Pictures("job").status().code(), StatusCode::kDataLoss);
  images_.missing = 0;
  images_.damaged = true;
  const Status damaged = client_->Pictures("job").status();
  EXPECT_EQ(damaged, DataLoss("picture 0 arrived damaged")) << "as long as it should be";
}

TEST_F(ClientTest, PassesErrorsOn) {
  EXPECT_EQ(client_->Ask(&v1::Images::Stub::Get, v1::GetJobRequest()).status(),
            NotFound("there is no such job"));
}

TEST_F(ClientTest, GivesUpOnAGatewayThatNeverAnswers) {
  const auto client =
      *Client::Make({{"unix:/nowhere/gateway.sock"}}, interrupt_, {.first = Millis(0)});
  EXPECT_EQ(client->Ask(&v1::Admin::Stub::Stats, v1::StatsRequest()).status().code(),
            StatusCode::kUnavailable);
}

// The last one: an interrupt stays.
TEST_F(ClientTest, ZAnInterruptEndsAStreamButNotACancel) {
  images_.watches = 1;
  images_.on_endless = [&] { interrupt_.Raise(); };
  images_.endless = true;
  EXPECT_EQ(client_->Watch("job", false, [](const v1::WatchEvent&) {}).status().code(),
            StatusCode::kCancelled);
  EXPECT_EQ(client_->Cancel("job").status().code(), StatusCode::kUnimplemented)
      << "the call was made";
}

}  // namespace
}  // namespace phasor::cli
