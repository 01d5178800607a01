#include "common/access/jwt/jwks_source.h"

#include <curl/curl.h>

#include <cstdlib>
#include <memory>

#include "common/base/file.h"

namespace phasor::access {
namespace {

constexpr size_t kMaxBytes = 256 * 1024;
constexpr Millis kEvery{300'000};
constexpr Millis kEagerEvery{10'000};
constexpr long kTimeoutMillis = 5'000;

// One byte too many says that there are more.
size_t Append(const char* data, size_t size, size_t count, void* target) {
  auto* text = static_cast<std::string*>(target);
  if (text->size() > kMaxBytes) return CURL_WRITEFUNC_ERROR;
  text->append(data, size * count);
  return size * count;
}

StatusOr<std::string> Fetch(const std::string& url) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) std::abort();  // out of memory at start
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) std::abort();
  std::string text;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kTimeoutMillis);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
  const CURLcode code = curl_easy_perform(curl.get());
  if (text.size() > kMaxBytes) {
    return InvalidArgument("the keys of tokens at " + url + " have more than " +
                           std::to_string(kMaxBytes) + " bytes");
  }
  if (code != CURLE_OK) {
    return Unavailable("can't fetch the keys of tokens from " + url + ": " +
                       curl_easy_strerror(code));
  }
  return text;
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
