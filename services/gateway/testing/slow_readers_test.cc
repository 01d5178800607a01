// Clients that open streams and never read: they cost a bounded amount of memory, whatever happens
// to their jobs meanwhile, and their jobs go on.
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

constexpr int kStreams = 500;
constexpr size_t kPreview = 32 << 10;
constexpr int kPreviews = 100;  // of each stream: 1.6 GB in all

int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  int64_t resident = 0;
  file >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class SlowReadersTest : public GatewayFixture {};

TEST_F(SlowReadersTest, FiveHundredWatchesThatNobodyReadsStayBounded) {
  const std::string id = Submit()->job_id();
  const queue::Grant grant = fleet_.Take();
  std::vector<std::unique_ptr<grpc::ClientContext>> calls;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchEvent>>> streams;
  v1::WatchRequest watch;
  watch.set_job_id(id);
  watch.set_previews(true);
  for (int i = 0; i < kStreams; ++i) {
    calls.push_back(Call());
    streams.push_back(images_->Watch(calls.back().get(), watch));
  }
  // The last stream is there once its first event is.
  v1::WatchEvent event;
  ASSERT_TRUE(streams.back()->Read(&event));
  const int64_t before = ResidentBytes();
  queue::Event preview;
  preview.id = id;
  preview.epoch = grant.fence.epoch;
  preview.state = queue::State::kLeased;
  preview.phase = queue::Phase::kDenoising;
  preview.preview.assign(kPreview, 'p');
  for (int i = 0; i < kPreviews; ++i) {
    preview.step = i;
    preview.preview_image = i % 4;
    ASSERT_TRUE(fleet_.queue.Publish(preview).ok());
  }
  // Both ends of the streams are in this process.
  EXPECT_LT(ResidentBytes() - before, int64_t{256} << 20);

  ASSERT_TRUE(fleet_.Finish(grant, {"png"}).ok());
  while (streams.back()->Read(&event)) {
  }
  EXPECT_EQ(event.job().state(), v1::DONE);
  for (const auto& call : calls) call->TryCancel();
  for (const auto& stream : streams) (void)stream->Finish();
}

TEST_F(SlowReadersTest, GenerateStreamsThatNobodyReadsShareOneCopyOfTheirPictures) {
  constexpr int kClients = 40;
  v1::GenerateImagesRequest request;
  *request.mutable_request() = DemoRequest();
  request.mutable_request()->set_images(8);
  request.mutable_request()->set_idempotency_key("k");
  // The clients are in this process too: let them take little that they do not read.
  grpc::ChannelArguments narrow;
  narrow.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  narrow.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  narrow.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 << 10);
  const auto images = v1::Images::NewStub(
      grpc::CreateCustomChannel(gateway_->address(), grpc::InsecureChannelCredentials(), narrow));
  std::vector<std::unique_ptr<grpc::ClientContext>> calls;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::GenerateEvent>>> streams;
  v1::GenerateEvent event;
  for (int i = 0; i < kClients; ++i) {
    calls.push_back(Call());
    streams.push_back(images->Generate(calls.back().get(), request));
    ASSERT_TRUE(streams.back()->Read(&event));
  }
  std::vector<std::string> pictures;
  for (char c = 'a'; c < 'i'; ++c) pictures.emplace_back(7 << 20, c);
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), pictures).ok());
  const int64_t before = ResidentBytes();
  // One client reads all, so the streams have got as far as they get.
  int64_t bytes = 0;
  while (streams.back()->Read(&event) && !event.has_finished()) {
    bytes += static_cast<int64_t>(event.picture().data().size());
  }
  EXPECT_EQ(bytes, int64_t{8} * (7 << 20));
  // Whole answers would be 2.2 GB at least.
  EXPECT_LT(ResidentBytes() - before, int64_t{160} << 20);
  for (const auto& call : calls) call->TryCancel();
  for (const auto& stream : streams) (void)stream->Finish();
}

TEST_F(SlowReadersTest, AClientThatTakesNothingForHalfAMinuteIsCutOffAndItsJobGoesOn) {
  const std::string id = Submit()->job_id();
  const queue::Grant grant = fleet_.Take();
  const auto call = Call();
  v1::WatchRequest watch;
  watch.set_job_id(id);
  watch.set_previews(true);
  const auto stream = images_->Watch(call.get(), watch);
  v1::WatchEvent event;
  ASSERT_TRUE(stream->Read(&event));
  // More than the transport takes without a reader.
  queue::Event preview;
  preview.id = id;
  preview.epoch = grant.fence.epoch;
  preview.state = queue::State::kLeased;
  preview.preview.assign(200 << 10, 'p');
  // The hub looks about every second by the process's clock, and measures by the fleet's.
  const auto is_cut = [this] {
    return metrics_.Text().find("{code=\"CANCELLED\",method=\"/phasor.v1.Images/Watch\"}") !=
           std::string::npos;
  };
  for (int i = 0; i < 500 && !is_cut(); ++i) {
    preview.step = i;
    ASSERT_TRUE(fleet_.queue.Publish(preview).ok());
    usleep(20'000);
    fleet_.clock.Advance(std::chrono::seconds(1));
  }
  EXPECT_TRUE(is_cut()) << metrics_.Text();
  while (stream->Read(&event)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::CANCELLED);
  EXPECT_EQ(Get(id)->id(), id);
}

TEST_F(SlowReadersTest, AClientThatDoesNotTakeItsPictureIsCutOffAndMayCallAgain) {
  const std::string id = Submit()->job_id();
  const std::string picture(8 << 20, 'p');
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {picture}).ok());
  v1::GetResultRequest request;
  request.set_job_id(id);
  const auto call = Call();
  const auto stream = images_->GetResult(call.get(), request);
  const auto is_cut = [this] {
    return metrics_.Text().find("{code=\"CANCELLED\",method=\"/phasor.v1.Images/GetResult\"}") !=
           std::string::npos;
  };
  for (int i = 0; i < 500 && !is_cut(); ++i) {
    usleep(20'000);
    fleet_.clock.Advance(std::chrono::seconds(1));
  }
  EXPECT_TRUE(is_cut());
  v1::ResultChunk chunk;
  while (stream->Read(&chunk)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::CANCELLED);

  const auto again = Call();
  const auto whole = images_->GetResult(again.get(), request);
  std::string bytes;
  while (whole->Read(&chunk)) bytes += chunk.data();
  EXPECT_TRUE(whole->Finish().ok());
  EXPECT_EQ(bytes, picture);
}

}  // namespace
}  // namespace phasor::gateway
