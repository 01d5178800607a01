#include "common/queue/redis/redis_events.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <utility>

#include "common/queue/redis/event_codec.h"

namespace phasor::queue {
namespace {

using redis::FormatCommand;
using redis::StatusOfError;

constexpr Millis kProbeAfter{5'000};
constexpr int kPauseMillis = 100;

}  // namespace

RedisSubscription::RedisSubscription(RedisOptions options, std::function<int64_t()> departures,
                                     std::function<void(const Event&)> on_event)
    : options_(std::move(options)),
      departures_(std::move(departures)),
      on_event_(std::move(on_event)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (stop_ < 0) std::abort();  // out of descriptors at start: nothing would work
  thread_ = std::thread([this] { Run(); });
}

RedisSubscription::~RedisSubscription() {
  const uint64_t one = 1;
  if (::write(stop_, &one, sizeof(one)) != sizeof(one)) std::abort();
  thread_.join();
  ::close(stop_);
}

bool RedisSubscription::PauseOrStop(Millis time) const {
  pollfd waited{stop_, POLLIN, 0};
  return ::poll(&waited, 1, static_cast<int>(time.count())) > 0;
}

void RedisSubscription::Run() {
  std::minstd_rand jitter(std::random_device{}());
  while (!PauseOrStop(Millis(0))) {
    // A failure is no news here: callers of the queue see it as UNAVAILABLE.
    const Status ended = Listen();
    if (ended.ok() || PauseOrStop(Millis(kPauseMillis + jitter() % kPauseMillis))) return;
  }
}

Status RedisSubscription::Listen() {
  const int64_t departures = departures_();
  ASSIGN_OR_RETURN(const auto connection, RedisConnection::Connect(options_));
  const std::string channel = options_.prefix + "ev";
  RETURN_IF_ERROR(connection->Append(FormatCommand({"SUBSCRIBE", channel})));
  bool probed = false;
  while (true) {
    const Millis limit = probed ? options_.command_timeout : kProbeAfter;
    ASSIGN_OR_RETURN(const auto message, connection->ReadWithin(limit, stop_));
    if (message) {
      probed = false;
      if (message->kind == RedisReply::Kind::kError) return StatusOfError(message->text);
      Deliver(*message);
    } else if (PauseOrStop(Millis(0))) {
      return OkStatus();
    } else if (departures_() != departures) {
      return Unavailable("the queue is elsewhere now");
    } else if (probed) {
      return Unavailable("the event channel is silent");
    } else {
      probed = true;
      RETURN_IF_ERROR(connection->Append(FormatCommand({"PING"})));
    }
  }
}

void RedisSubscription::Deliver(const RedisReply& message) const {
  if (message.list.size() != 3 || message[0].text != "message") return;
  const StatusOr<std::vector<Event>> events = DecodeEvents(message[2].text);
  if (!events.ok()) return;
  for (const Event& event : *events) on_event_(event);
}

}  // namespace phasor::queue
