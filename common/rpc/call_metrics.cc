#include "common/rpc/call_metrics.h"

#include <chrono>
#include <string>

#include "common/base/status.h"

namespace phasor::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;
using Clock = std::chrono::steady_clock;

// One call. Its end without a status is the client's going away.
class CallTimer final : public grpc::experimental::Interceptor {
 public:
  CallTimer(metrics::Family<metrics::Histogram> seconds, const char* method)
      : seconds_(std::move(seconds)), method_(method), start_(Clock::now()) {}

  ~CallTimer() override {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    seconds_.With({method_, absl::StatusCodeToString(code_)}).Observe(seconds);
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      code_ = static_cast<StatusCode>(methods->GetSendStatus().error_code());
    }
    methods->Proceed();
  }

 private:
  metrics::Family<metrics::Histogram> seconds_;
  const char* method_;
  Clock::time_point start_;
  StatusCode code_ = StatusCode::kCancelled;
};

class CallTimers final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallTimers(metrics::Registry* registry)
      : seconds_(registry->Histograms("rpc_seconds", "Time of calls to this server, in seconds.",
                                      metrics::SecondsBuckets(), {"method", "code"})) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new CallTimer(seconds_, info->method());
  }

 private:
  metrics::Family<metrics::Histogram> seconds_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallMetrics(
    metrics::Registry* registry) {
  return std::make_unique<CallTimers>(registry);
}

}  // namespace phasor::rpc
