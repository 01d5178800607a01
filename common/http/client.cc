#include "common/http/client.h"

#include <curl/curl.h>

#include <cstdlib>
#include <utility>

namespace phasor::http {
namespace {

constexpr size_t kMaxIdle = 16;
// Before a large body libcurl asks whether it is welcome. The header must not be taken out: libcurl
// 7.88 signs headers that it then does not send.
constexpr long kContinueMillis = 200;

// Before other threads use libcurl; never undone, since handles may live until the end.
void InitialiseCurlOnce() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) std::abort();  // out of memory at start: nothing would work
}

class HeaderList {
 public:
  explicit HeaderList(const std::vector<std::string>& headers) {
    for (const std::string& header : headers) {
      curl_slist* longer = curl_slist_append(list_, header.c_str());
      if (longer == nullptr) std::abort();  // as operator new does
      list_ = longer;
    }
  }
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

struct ReplyBody {
  std::string bytes;
  size_t most = 0;
  bool too_large = false;
};

size_t AppendBody(const char* data, size_t size, size_t count, void* target) {
  auto* body = static_cast<ReplyBody*>(target);
  const size_t bytes = size * count;
  if (bytes > body->most - body->bytes.size()) {
    body->too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body->bytes.append(data, bytes);
  return bytes;
}

void SetConnection(const Timeouts& timeouts, CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeouts.connect.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeouts.whole.count()));
  curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, kContinueMillis);
}

void SetRequest(const Request& request, CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.signature) return;
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request.signature->scheme.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, request.signature->key_id.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, request.signature->secret.c_str());
}

// Scheme, host and port of a URL.
std::string OriginOf(const std::string& url) {
  const size_t scheme = url.find("://");
  return url.substr(0, url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3));
}

}  // namespace

class Client::Handle {
 public:
  Handle() : curl_(curl_easy_init()) {
    if (curl_ == nullptr) std::abort();
  }
  ~Handle() { curl_easy_cleanup(curl_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  CURL* get() const { return curl_; }

 private:
  CURL* const curl_;
};

Client::Client(Timeouts timeouts) : timeouts_(timeouts) { InitialiseCurlOnce(); }

Client::~Client() = default;

std::unique_ptr<Client::Handle> Client::Borrow() {
  {
    MutexLock lock(&mu_);
    if (!idle_.empty()) {
      std::unique_ptr<Handle> handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  return std::make_unique<Handle>();
}

void Client::GiveBack(std::unique_ptr<Handle> handle) {
  curl_easy_reset(handle->get());  // keeps its connection
  MutexLock lock(&mu_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(handle));
}

StatusOr<Reply> Client::Send(const Request& request) {
  const HeaderList headers(request.headers);
  ReplyBody body{.bytes = {}, .most = request.max_reply_bytes};
  char reason[CURL_ERROR_SIZE] = {};

  std::unique_ptr<Handle> handle = Borrow();
  CURL* const curl = handle->get();
  SetConnection(timeouts_, curl);
  SetRequest(request, curl);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &AppendBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  const CURLcode result = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  GiveBack(std::move(handle));

  if (body.too_large) {
    return ResourceExhausted("the reply of " + OriginOf(request.url) + " has more than " +
                             std::to_string(request.max_reply_bytes) + " bytes");
  }
  if (result != CURLE_OK) {
    return Unavailable("no answer from " + OriginOf(request.url) + ": " +
                       (reason[0] != 0 ? reason : curl_easy_strerror(result)));
  }
  return Reply{static_cast<int>(status), std::move(body.bytes)};
}

}  // namespace phasor::http
