#include "common/rpc/channel.h"

#include <utility>
#include <vector>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "common/rpc/address.h"
#include "common/rpc/grpc_log.h"
#include "common/rpc/tls_credentials.h"

namespace phasor::rpc {

StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelConfig& config) {
  const Dial dial = ParseDial(config.address, config.tls.always);
  RETURN_IF_ERROR(CheckAddress(dial.address));
  RouteGrpcLog();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(config.max_receive_bytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(config.ping_every.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(config.ping_timeout.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 3'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (dial.tls && !config.tls.server_name.empty()) {
    arguments.SetSslTargetNameOverride(config.tls.server_name);
  }
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> carriers;
  if (config.credential != nullptr) carriers.push_back(MakeCarrier(config.credential));
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      dial.address,
      dial.tls ? ClientCredentials(config.tls.source.get()) : grpc::InsecureChannelCredentials(),
      arguments, std::move(carriers));
}

}  // namespace phasor::rpc
