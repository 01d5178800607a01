#include "services/gateway/listeners.h"

#include <algorithm>

namespace phasor::gateway {
namespace {

std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

bool HasPortOfItsOwn(const std::string& address) { return address.ends_with(":0"); }

Status Exposed(const std::string& what, const std::string& address) {
  return FailedPrecondition(
      what + " " + address +
      " can be reached from other machines and lets everybody in. Set up API keys with --keys, or "
      "--tls-client-ca to let in those with a certificate, or listen on 127.0.0.1; --insecure "
      "permits it as it is");
}

}  // namespace

std::string NameOf(Audience audience) {
  switch (audience) {
    case Audience::kClients:
      return "clients";
    case Audience::kOperators:
      return "operators";
    case Audience::kWorkers:
      return "workers";
  }
  return "";
}

bool Listener::Serves(Audience audience) const {
  return std::find(audiences.begin(), audiences.end(), audience) != audiences.end();
}

std::string Listener::name() const {
  std::string text;
  for (const Audience audience : audiences) {
    if (!text.empty()) text += "+";
    text += NameOf(audience);
  }
  return text;
}

StatusOr<std::vector<Listener>> PlanListeners(const ListenWords& words) {
  for (const std::string& name : words.certificates_of) {
    const bool known = std::any_of(std::begin(kAudiences), std::end(kAudiences),
                                   [&](Audience each) { return NameOf(each) == name; });
    if (known) continue;
    return InvalidArgument("--tls-client-certs: '" + name +
                           "' is none of clients, operators, workers");
  }
  const std::string* const addresses[] = {&words.clients, &words.operators, &words.workers};
  std::vector<Listener> listeners;
  for (const Audience audience : kAudiences) {
    const std::string& given = *addresses[static_cast<int>(audience)];
    const std::string& address = given.empty() ? words.clients : given;
    auto found = std::find_if(listeners.begin(), listeners.end(), [&](const Listener& listener) {
      return listener.address == address && (given.empty() || !HasPortOfItsOwn(address));
    });
    if (found == listeners.end()) {
      found = listeners.insert(listeners.end(), {.address = address, .audiences = {}});
    }
    found->audiences.push_back(audience);
    const auto& demanded = words.certificates_of;
    if (std::find(demanded.begin(), demanded.end(), NameOf(audience)) != demanded.end()) {
      found->client_certificates = true;
    }
  }
  return listeners;
}

bool IsLocal(const std::string& address) {
  if (address.starts_with("unix:")) return true;
  const std::string host = HostOf(address);
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Status CheckExposure(const Exposure& exposure) {
  if (exposure.insecure || exposure.credentials) return OkStatus();
  bool all_ask = true;
  for (const Listener& listener : exposure.listeners) {
    all_ask = all_ask && listener.client_certificates;
    if (!listener.client_certificates && !IsLocal(listener.address)) {
      return Exposed("the listener of " + listener.name(), listener.address);
    }
  }
  const bool open = exposure.operations != "off" && !IsLocal(exposure.operations);
  return open && !all_ask ? Exposed("the operations port", exposure.operations) : OkStatus();
}

}  // namespace phasor::gateway
