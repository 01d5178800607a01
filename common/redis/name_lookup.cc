#include "common/redis/name_lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

#include "common/base/mutex.h"

namespace phasor::redis {
namespace {

using Answer = StatusOr<std::vector<std::string>>;

// A lookup that takes longer may never end: then another one is tried beside it.
constexpr Millis kGivenUp{60'000};

bool IsNumeric(const std::string& host) {
  in6_addr unused;
  return inet_pton(AF_INET, host.c_str(), &unused) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &unused) == 1;
}

}  // namespace

StatusOr<std::vector<std::string>> AskSystemForName(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &raw); error != 0) {
    return Unavailable("the name " + host + " is not known: " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(raw, freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = raw; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    const int error =
        getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
    if (error == 0) addresses.emplace_back(text);
  }
  if (addresses.empty()) return Unavailable("the name " + host + " has no address");
  return addresses;
}

struct NameLookup::State {
  struct Question {
    std::shared_future<Answer> answer;
    SteadyTime asked;
  };
  explicit State(AskForName ask_in) : ask(std::move(ask_in)) {}

  const AskForName ask;
  Mutex mu;
  std::map<std::string, Question> open GUARDED_BY(mu);  // by host
};

NameLookup::NameLookup(AskForName ask) : state_(std::make_shared<State>(std::move(ask))) {}

StatusOr<std::vector<std::string>> NameLookup::Find(const std::string& host, Millis limit) {
  if (IsNumeric(host)) return std::vector<std::string>{host};
  std::shared_future<Answer> answer;
  {
    MutexLock lock(&state_->mu);
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto found = state_->open.find(host);
    if (found != state_->open.end() && now - found->second.asked < kGivenUp) {
      answer = found->second.answer;
    } else {
      auto promise = std::make_shared<std::promise<Answer>>();
      answer = promise->get_future().share();
      try {
        std::thread([state = state_, promise, host, now] {
          Answer said = state->ask(host);
          {
            MutexLock own_lock(&state->mu);
            const auto own = state->open.find(host);
            if (own != state->open.end() && own->second.asked == now) state->open.erase(own);
          }
          promise->set_value(std::move(said));
        }).detach();
      } catch (const std::system_error&) {
        return Unavailable("no thread to look up the name " + host);
      }
      state_->open[host] = {answer, now};
    }
  }
  if (answer.wait_for(limit) != std::future_status::ready) {
    return Unavailable("the name " + host + " was not looked up within " +
                       std::to_string(limit.count()) + " ms");
  }
  return answer.get();
}

}  // namespace phasor::redis
