#include "common/rpc/call_metrics.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "common/base/status.h"

namespace phasor::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;
using Clock = std::chrono::steady_clock;

// What a client may call a method is up to the client, so a method that this program does not know
// gets no label of its own: labels stay for ever.
constexpr char kUnknownMethod[] = "other";

// "/package.Service/Method" where such a method is linked in.
bool IsKnown(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (path.empty() || path.front() != '/' || slash == 0) return false;
  if (std::count(path.begin(), path.end(), '/') != 2) return false;
  std::string name(path.substr(1));
  name[slash - 1] = '.';
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name) != nullptr;
}

// A copy: of a method that the server lacks gRPC frees the name before the call's end.
std::string LabelOf(const char* method) {
  const std::string_view path = method == nullptr ? std::string_view() : method;
  return IsKnown(path) ? std::string(path) : kUnknownMethod;
}

// One call. Its end without a status is the client's going away.
class CallTimer final : public grpc::experimental::Interceptor {
 public:
  CallTimer(metrics::Family<metrics::Histogram> seconds, std::string method)
      : seconds_(std::move(seconds)), method_(std::move(method)), start_(Clock::now()) {}

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
  const std::string method_;
  Clock::time_point start_;
  StatusCode code_ = StatusCode::kCancelled;
};

class CallTimers final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallTimers(metrics::Registry* registry)
      : seconds_(registry->Histograms("rpc_seconds", "Time of calls to this server, in seconds.",
                                      metrics::SecondsBuckets(), {"method", "code"})) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new CallTimer(seconds_, LabelOf(info->method()));
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
