#include "bench/gateway/submit_load.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/synchronization/blocking_counter.h"
#include "common/base/hash.h"
#include "common/rpc/status_convert.h"
#include "common/rpc/tls_credentials.h"
#include "phasor/v1/images.grpc.pb.h"

namespace phasor::bench {
namespace {

using Clock = std::chrono::steady_clock;

v1::SubmitRequest Request() {
  v1::SubmitRequest submit;
  submit.mutable_request()->set_prompt("a red circle on a blue background");
  submit.mutable_request()->set_steps(20);
  return submit;
}

// A connection of its own, whatever other channels there are to the address.
std::shared_ptr<grpc::Channel> Connect(const std::string& address, const tls::Source* tls) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto credentials =
      tls == nullptr ? grpc::InsecureChannelCredentials() : rpc::ClientCredentials(tls);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

void Carry(const std::string& credential, grpc::ClientContext* call) {
  if (!credential.empty()) call->AddMetadata("authorization", "Bearer " + credential);
}

// One call after the other until the end; as many lanes as calls in flight.
class Lane {
 public:
  Lane(v1::Images::Stub* stub, const LoadOptions& options, Clock::time_point end,
       absl::BlockingCounter* done)
      : stub_(stub), keys_(options.keys), credential_(options.credential), end_(end), done_(done) {}

  void Next() {
    begin_ = Clock::now();
    if (begin_ >= end_) {
      done_->DecrementCount();
      return;
    }
    if (keys_) request_.mutable_request()->set_idempotency_key(RandomToken());
    call_ = std::make_unique<grpc::ClientContext>();
    Carry(credential_, call_.get());
    stub_->async()->Submit(call_.get(), &request_, &response_,
                           [this](const grpc::Status& status) { OnDone(status); });
  }

  void AddTo(LoadResult* result) const {
    result->calls += static_cast<int64_t>(latencies_.size());
    result->errors += errors_;
    if (result->first_error.empty()) result->first_error = error_;
    result->latencies.insert(result->latencies.end(), latencies_.begin(), latencies_.end());
  }

 private:
  void OnDone(const grpc::Status& status) {
    if (status.ok()) {
      latencies_.push_back(std::chrono::duration<float>(Clock::now() - begin_).count());
    } else if (++errors_ == 1) {
      error_ = status.error_message();
    }
    Next();
  }

  v1::Images::Stub* const stub_;
  const bool keys_;
  const std::string credential_;
  const Clock::time_point end_;
  absl::BlockingCounter* const done_;
  v1::SubmitRequest request_ = Request();
  v1::SubmitResponse response_;
  std::unique_ptr<grpc::ClientContext> call_;
  Clock::time_point begin_;
  std::vector<float> latencies_;
  int64_t errors_ = 0;
  std::string error_;
};

}  // namespace

double LoadResult::LatencyMillis(double share) const {
  if (latencies.empty()) return 0;
  const auto last = static_cast<double>(latencies.size() - 1);
  return 1000.0 * latencies[static_cast<size_t>(share * last)];
}

StatusOr<LoadResult> RunSubmitLoad(const LoadOptions& options) {
  std::vector<std::unique_ptr<v1::Images::Stub>> stubs;
  for (int i = 0; i < options.connections; ++i) {
    stubs.push_back(v1::Images::NewStub(Connect(options.address, options.tls.get())));
    grpc::ClientContext call;
    call.set_wait_for_ready(true);
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    Carry(options.credential, &call);
    v1::SubmitResponse response;
    RETURN_IF_ERROR(rpc::FromGrpc(stubs.back()->Submit(&call, Request(), &response)));
  }
  absl::BlockingCounter done(options.in_flight);
  const Clock::time_point begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(options.seconds));
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < options.in_flight; ++i) {
    lanes.push_back(std::make_unique<Lane>(stubs[i % stubs.size()].get(), options, end, &done));
  }
  for (const auto& lane : lanes) lane->Next();
  done.Wait();
  LoadResult result;
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  for (const auto& lane : lanes) lane->AddTo(&result);
  std::sort(result.latencies.begin(), result.latencies.end());
  return result;
}

}  // namespace phasor::bench
