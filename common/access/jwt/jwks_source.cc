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

size_t Append(const char* data, size_t size, size_t count, void* target) {
  auto* text = static_cast<std::string*>(target);
  if (size * count > kMaxBytes - text->size()) return CURL_WRITEFUNC_ERROR;
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

StatusOr<std::optional<std::string>> JwksSource::Look(bool eager) {
  if (!is_url()) {
    ASSIGN_OR_RETURN(std::string text, ReadFile(where_, kMaxBytes));
    return std::optional<std::string>(std::move(text));
  }
  const SteadyTime now = clock_->Steady();
  if (asked_ && now - *asked_ < (eager ? kEagerEvery : kEvery)) return std::optional<std::string>();
  asked_ = now;
  ASSIGN_OR_RETURN(std::string text, Fetch(where_));
  return std::optional<std::string>(std::move(text));
}

}  // namespace phasor::access
