// phasor-bench-echo: a gRPC server with the gateway's settings that answers Submit at once. What a
// gateway could reach if it had nothing to do.
#include <csignal>
#include <iostream>

#include "common/rpc/server.h"
#include "phasor/v1/images.grpc.pb.h"

namespace phasor::bench {
namespace {

class EchoService final : public v1::Images::CallbackService {
  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* call,
                                   const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override {
    *response->mutable_request() = request->request();
    auto* reactor = call->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: phasor-bench-echo ADDRESS\n";
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  EchoService service;
  const auto server = rpc::Server::Start({.address = argv[1]}, {&service});
  if (!server.ok()) {
    std::cerr << "phasor-bench-echo: " << server.status().message() << "\n";
    return 1;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace
}  // namespace phasor::bench

int main(int argc, char** argv) { return phasor::bench::Main(argc, argv); }
