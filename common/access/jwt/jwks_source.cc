#include "common/access/jwt/jwks_source.h"

#include "common/base/file.h"
#include "common/http/client.h"

namespace phasor::access {
namespace {

constexpr size_t kMaxBytes = 256 * 1024;
constexpr Millis kEvery{300'000};
constexpr Millis kEagerEvery{10'000};
constexpr http::Timeouts kTimeouts{.whole = Millis(5'000)};

StatusOr<std::string> Fetch(const std::string& url) {
  static http::Client* const client = new http::Client(kTimeouts);
  auto reply = client->Send({.url = url, .max_reply_bytes = kMaxBytes});
  if (reply.status().code() == StatusCode::kResourceExhausted) {
    return InvalidArgument("the keys of tokens at " + url + " have more than " +
                           std::to_string(kMaxBytes) + " bytes");
  }
  std::string why = Message(reply.status());
  if (reply.ok() && reply->status >= 400) why = "HTTP " + std::to_string(reply->status);
  if (!why.empty()) return Unavailable("can't fetch the keys of tokens from " + url + ": " + why);
  return std::move(reply->body);
}

}  // namespace

bool JwksSource::is_url() const {
  return where_.starts_with("https://") || where_.starts_with("http://");
}

bool JwksSource::IsDue(bool eager) const {
  return !is_url() || !asked_ || clock_->Steady() - *asked_ >= (eager ? kEagerEvery : kEvery);
}

StatusOr<std::string> JwksSource::Read() {
  if (!is_url()) return ReadFile(where_, kMaxBytes);
  asked_ = clock_->Steady();
  return Fetch(where_);
}

}  // namespace phasor::access
