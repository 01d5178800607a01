#include "common/rpc/server.h"

#include <mutex>
#include <utility>

#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "common/base/mutex.h"
#include "common/rpc/address.h"
#include "common/rpc/call_metrics.h"
#include "common/rpc/grpc_log.h"
#include "common/rpc/tls_credentials.h"
#include "grpc/health/v1/health.pb.h"

namespace phasor::rpc {
namespace {

// Switches of the whole process that must be set before the first builder.
void InstallPlugins() {
  // Debian's abseil is built with deadlock detection, which takes a global lock at every Lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::channelz::experimental::InitChannelzService();
    // Links the description of the health service, which the library serves without one.
    grpc::health::v1::HealthCheckRequest::descriptor();
  });
}

// The library gives every server of the process what InstallPlugins asked for; this takes it from
// one.
class WithoutPlugins final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
  }
};

void SetLimits(const ServerConfig& config, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(config.max_receive_bytes);
  grpc::ResourceQuota quota("server");
  builder->SetResourceQuota(quota.Resize(config.max_buffer_bytes));
  // Two processes on one port would each get half of the calls.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 2'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
}

}  // namespace

Server::Server(std::unique_ptr<grpc::Server> server, std::string address)
    : server_(std::move(server)), address_(std::move(address)) {}

Server::~Server() { Shutdown(Millis(0)); }

StatusOr<std::unique_ptr<Server>> Server::Start(const ServerConfig& config,
                                                const std::vector<grpc::Service*>& services) {
  RETURN_IF_ERROR(CheckBindable(config.address));
  if (config.client_certificates &&
      (config.tls == nullptr || config.tls->authorities_path().empty())) {
    return InvalidArgument(config.address +
                           ": clients' certificates need authorities to check them");
  }
  RouteGrpcLog();
  InstallPlugins();

  grpc::ServerBuilder builder;
  SetLimits(config, &builder);
  if (!config.reflection) builder.SetOption(std::make_unique<WithoutPlugins>());
  int port = 0;
  builder.AddListeningPort(config.address,
                           config.tls == nullptr
                               ? grpc::InsecureServerCredentials()
                               : ServerCredentials(*config.tls, config.client_certificates),
                           &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  // What is received passes them from the last to the first, what is sent from the first on: so the
  // metrics see a gate's word.
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
  if (config.gate) creators.push_back(config.gate());
  if (config.metrics != nullptr) creators.push_back(MakeCallMetrics(config.metrics));
  builder.experimental().SetInterceptorCreators(std::move(creators));
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const bool is_unix = config.address.rfind("unix:", 0) == 0;
  if (server == nullptr || port == 0) {
    return FailedPrecondition("can't listen on " + config.address + ": gRPC refused the address");
  }
  std::string address = config.address;
  if (!is_unix) address = address.substr(0, address.rfind(':') + 1) + std::to_string(port);
  for (const std::string& name : config.names) {
    server->GetHealthCheckService()->SetServingStatus(name, false);
  }
  server->GetHealthCheckService()->SetServingStatus(kReadiness, false);
  std::unique_ptr<Server> result(new Server(std::move(server), std::move(address)));
  result->SetServing(false);
  return result;
}

void Server::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
  server_->GetHealthCheckService()->SetServingStatus(kLiveness, true);
}

void Server::Shutdown(Millis grace) { server_->Shutdown(std::chrono::system_clock::now() + grace); }

}  // namespace phasor::rpc
