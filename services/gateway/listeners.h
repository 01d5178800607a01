// Where a gateway listens and for whom: callers of different kinds may have an address each, so
// that a network policy can tell them apart; those whose addresses are the same share a listener.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::gateway {

enum class Audience {
  kClients,    // Images, Models
  kOperators,  // Admin, and what describes the server: reflection, channelz
  kWorkers,    // WorkerReport
};
inline constexpr Audience kAudiences[] = {Audience::kClients, Audience::kOperators,
                                          Audience::kWorkers};

// "clients", "operators" or "workers".
std::string NameOf(Audience audience);

struct Listener {
  std::string address;
  std::vector<Audience> audiences;   // never empty
  bool client_certificates = false;  // who has none that the authorities vouch for stays outside

  bool Serves(Audience audience) const;
  // "clients+operators+workers": in the log, and for whoever asks where a call came in.
  std::string name() const;
};

struct ListenWords {
  std::string clients;         // never empty
  std::string operators = {};  // empty: the clients'
  std::string workers = {};    // likewise
  // Names of the audiences who must show a certificate.
  std::vector<std::string> certificates_of = {};
};

// In the order of the audiences; at most three. INVALID_ARGUMENT: a name of none. Port 0 is another
// one each time.
StatusOr<std::vector<Listener>> PlanListeners(const ListenWords& words);

// Whether only this machine reaches the address: of the loopback interface, or a unix socket. Names
// other than localhost are taken for reachable.
bool IsLocal(const std::string& address);

struct Exposure {
  std::vector<Listener> listeners;
  std::string operations;    // of /metrics, where it asks nobody for a certificate; "off": none
  bool credentials = false;  // callers must prove who they are
  bool insecure = false;     // somebody has said that they need not
};

// FAILED_PRECONDITION: other machines reach a listener that lets everybody in; the sentence says
// which and what to do.
Status CheckExposure(const Exposure& exposure);

}  // namespace phasor::gateway
