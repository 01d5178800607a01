#include "services/gateway/doors.h"

#include <thread>
#include <utility>

#include "common/log/log.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "phasor/v1/images.grpc.pb.h"
#include "phasor/v1/models.grpc.pb.h"
#include "phasor/v1/worker.grpc.pb.h"

namespace phasor::gateway {
namespace {

std::vector<std::string> NamesFor(Audience audience) {
  switch (audience) {
    case Audience::kClients:
      return {v1::Images::service_full_name(), v1::Models::service_full_name()};
    case Audience::kOperators:
      return {v1::Admin::service_full_name()};
    case Audience::kWorkers:
      return {v1::WorkerReport::service_full_name()};
  }
  return {};
}

}  // namespace

StatusOr<std::unique_ptr<Doors>> Doors::Open(const Frame& frame, const Services& services) {
  auto opened = std::make_unique<Doors>();
  const std::vector<grpc::Service*>* const of_audience[] = {&services.clients, &services.operators,
                                                            &services.workers};
  for (const Listener& listener : frame.listeners) {
    std::vector<grpc::Service*> served;
    std::vector<std::string> names;
    for (const Audience audience : listener.audiences) {
      const auto& more = *of_audience[static_cast<int>(audience)];
      served.insert(served.end(), more.begin(), more.end());
      for (std::string& name : NamesFor(audience)) names.push_back(std::move(name));
    }
    ASSIGN_OR_RETURN(auto server,
                     rpc::Server::Start({.address = listener.address,
                                         .names = std::move(names),
                                         .reflection = listener.Serves(Audience::kOperators),
                                         .tls = frame.source,
                                         .client_certificates = listener.client_certificates,
                                         .metrics = frame.metrics,
                                         .gate = frame.gate},
                                        served));
    log::Info("listening", {{"for", listener.name()},
                            {"address", server->address()},
                            {"tls", frame.source == nullptr        ? "no"
                                    : listener.client_certificates ? "mutual"
                                                                   : "yes"}});
    opened->doors_.push_back({listener, std::move(server)});
  }
  return opened;
}

const std::string& Doors::address(Audience audience) const {
  for (const Door& door : doors_) {
    if (door.listener.Serves(audience)) return door.server->address();
  }
  return doors_.front().server->address();
}

void Doors::SetServing(bool serving) {
  for (const Door& door : doors_) door.server->SetServing(serving);
}

void Doors::Shutdown(Millis grace) {
  std::vector<std::jthread> closing;
  for (const Door& door : doors_) {
    closing.emplace_back([&door, grace] { door.server->Shutdown(grace); });
  }
}

}  // namespace phasor::gateway
