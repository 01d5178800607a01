#include "common/storage/s3/curl_transport.h"

#include <curl/curl.h>

#include <cstdlib>
#include <utility>

#include "common/base/hash.h"
#include "common/base/secret_file.h"
#include "common/storage/s3/uri.h"

namespace phasor::storage {
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
  ~HeaderList() { curl_slist_free_all(list_); }
  void Add(const std::string& header) {
    curl_slist* longer = curl_slist_append(list_, header.c_str());
    if (longer == nullptr) std::abort();  // as operator new does
    list_ = longer;
  }
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

void SetConnection(const CurlTransportOptions& options, const AwsCredentials& credentials,
                   CURL* curl) {
  const std::string signature = "aws:amz:" + options.region + ":s3";
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.request_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, kContinueMillis);
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signature.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, credentials.access_key_id.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials.secret_access_key.c_str());
}

// The body is not copied.
void SetRequest(const std::string& endpoint, const HttpRequest& request, CURL* curl) {
  std::string url = endpoint + request.path;
  if (!request.query.empty()) url += "?" + EncodeQuery(request.query);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  if (request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

}  // namespace

class CurlTransport::Handle {
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

CurlTransport::CurlTransport(CurlTransportOptions options) : options_(std::move(options)) {
  InitialiseCurlOnce();
}

CurlTransport::~CurlTransport() = default;

std::unique_ptr<CurlTransport::Handle> CurlTransport::Borrow() {
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

void CurlTransport::GiveBack(std::unique_ptr<Handle> handle) {
  curl_easy_reset(handle->get());  // keeps its connection
  MutexLock lock(&mu_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(handle));
}

StatusOr<AwsCredentials> CurlTransport::Credentials() const {
  if (options_.key_id_file.empty()) return options_.credentials;
  AwsCredentials credentials;
  ASSIGN_OR_RETURN(credentials.access_key_id, ReadSecretFile(options_.key_id_file));
  ASSIGN_OR_RETURN(credentials.secret_access_key, ReadSecretFile(options_.secret_file));
  return credentials;
}

StatusOr<HttpReply> CurlTransport::Send(const HttpRequest& request) {
  ASSIGN_OR_RETURN(const AwsCredentials credentials, Credentials());
  HeaderList headers;
  for (const std::string& header : request.headers) headers.Add(header);
  headers.Add("x-amz-content-sha256: " + Sha256Hex(request.body));
  if (!credentials.session_token.empty()) {
    headers.Add("x-amz-security-token: " + credentials.session_token);
  }
  ReplyBody body{.bytes = {}, .most = request.max_reply_bytes};
  char reason[CURL_ERROR_SIZE] = {};

  std::unique_ptr<Handle> handle = Borrow();
  CURL* const curl = handle->get();
  SetConnection(options_, credentials, curl);
  SetRequest(options_.endpoint, request, curl);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &AppendBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  const CURLcode result = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  GiveBack(std::move(handle));

  if (body.too_large) {
    return ResourceExhausted("the reply of " + options_.endpoint + " has more than " +
                             std::to_string(request.max_reply_bytes) + " bytes");
  }
  if (result != CURLE_OK) {
    return Unavailable("no answer from " + options_.endpoint + ": " +
                       (reason[0] != 0 ? reason : curl_easy_strerror(result)));
  }
  return HttpReply{static_cast<int>(status), std::move(body.bytes)};
}

}  // namespace phasor::storage
