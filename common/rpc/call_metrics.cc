#include "common/rpc/call_metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "common/base/mutex.h"
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

constexpr size_t kCodes = 17;  // OK to UNAUTHENTICATED

// The series of one method, looked up once: calls are many. Thread-safe.
class Method {
 public:
  Method(metrics::Family<metrics::Histogram> seconds, std::string label)
      : seconds_(std::move(seconds)), label_(std::move(label)) {}

  metrics::Histogram& Of(StatusCode code) {
    const auto at = std::min(static_cast<size_t>(code), kCodes - 1);
    metrics::Histogram* known = codes_[at].load(std::memory_order_acquire);
    if (known == nullptr) {
      known = &seconds_.With({label_, absl::StatusCodeToString(code)});
      codes_[at].store(known, std::memory_order_release);
    }
    return *known;
  }

 private:
  metrics::Family<metrics::Histogram> seconds_;
  const std::string label_;
  std::array<std::atomic<metrics::Histogram*>, kCodes> codes_ = {};
};

// One call. Its end without a status is the client's going away.
class CallTimer final : public grpc::experimental::Interceptor {
 public:
  explicit CallTimer(std::shared_ptr<Method> method)
      : method_(std::move(method)), start_(Clock::now()) {}

  ~CallTimer() override {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    method_->Of(code_.load(std::memory_order_acquire)).Observe(seconds);
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    StatusCode code = code_.load(std::memory_order_relaxed);
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      code = static_cast<StatusCode>(methods->GetSendStatus().error_code());
    }
    code_.store(code, std::memory_order_release);
    methods->Proceed();
  }

 private:
  // May outlive the server's own words for it: of a method that the server lacks gRPC frees the
  // name before the call's end.
  const std::shared_ptr<Method> method_;
  const Clock::time_point start_;
  // Threads of gRPC's come by one after another, ordered by what no sanitizer sees but for this.
  std::atomic<StatusCode> code_ = StatusCode::kCancelled;
};

class CallTimers final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallTimers(metrics::Registry* registry)
      : seconds_(registry->Histograms("rpc_seconds", "Time of calls to this server, in seconds.",
                                      metrics::SecondsBuckets(), {"method", "code"})),
        unknown_(std::make_shared<Method>(seconds_, kUnknownMethod)) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new CallTimer(MethodOf(info->method() == nullptr ? "" : info->method()));
  }

 private:
  std::shared_ptr<Method> MethodOf(std::string_view path) {
    MutexLock lock(&mu_);
    const auto found = methods_.find(path);
    if (found != methods_.end()) return found->second;
    if (!IsKnown(path)) return unknown_;
    const std::string label(path);
    return methods_.emplace(label, std::make_shared<Method>(seconds_, label)).first->second;
  }

  const metrics::Family<metrics::Histogram> seconds_;
  const std::shared_ptr<Method> unknown_;
  Mutex mu_;
  std::map<std::string, std::shared_ptr<Method>, std::less<>> methods_ GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallMetrics(
    metrics::Registry* registry) {
  return std::make_unique<CallTimers>(registry);
}

}  // namespace phasor::rpc
