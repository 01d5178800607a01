#include "common/access/jwt/jwks_source.h"

#include "common/base/file.h"

namespace phasor::access {
namespace {

constexpr size_t kMaxBytes = 256 * 1024;
constexpr Millis kEvery{300'000};
constexpr Millis kEagerEvery{10'000};

}  // namespace

bool JwksSource::is_url() const {
  return where_.starts_with("https://") || where_.starts_with("http://");
}

bool JwksSource::IsDue(bool eager) const {
  return !is_url() || !asked_ || clock_->Steady() - *asked_ >= (eager ? kEagerEvery : kEvery);
}

StatusOr<std::string> JwksSource::Fetch() {
  auto reply = client_.Send({.url = where_, .max_reply_bytes = kMaxBytes});
  if (reply.status().code() == StatusCode::kResourceExhausted) {
    return InvalidArgument("the keys of tokens at " + where_ + " have more than " +
                           std::to_string(kMaxBytes) + " bytes");
  }
  std::string why = Message(reply.status());
  if (reply.ok() && reply->status >= 400) why = "HTTP " + std::to_string(reply->status);
  if (!why.empty()) {
    return Unavailable("can't fetch the keys of tokens from " + where_ + ": " + why);
  }
  return std::move(reply->body);
}

StatusOr<std::string> JwksSource::Read() {
  if (!is_url()) return ReadFile(where_, kMaxBytes);
  asked_ = clock_->Steady();
  return Fetch();
}

}  // namespace phasor::access
