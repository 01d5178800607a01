#include "common/storage/open_store.h"

#include <optional>
#include <utility>
#include <variant>

#include "common/base/environment.h"
#include "common/storage/late_store.h"
#include "common/storage/store_url.h"

namespace phasor::storage {
namespace {

StatusOr<std::string> DefaultRegion() {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    ASSIGN_OR_RETURN(std::string region, ReadVariable(name));
    if (!region.empty()) return region;
  }
  return "us-east-1";
}

bool SamePlace(const redis::RedisAddress& a, const redis::RedisAddress& b) {
  return a.socket == b.socket && a.host == b.host && a.port == b.port &&
         a.sentinels == b.sentinels && a.master == b.master;
}

StatusOr<std::unique_ptr<ResultStore>> OpenRedis(RedisStoreOptions options,
                                                 const StoreAccess& access) {
  redis::RedisOptions& redis = options.redis;
  redis.login = access.login;
  if (access.queue != nullptr) {
    redis.tls = access.queue->tls;
    const bool anonymous = redis.address.password.empty() && redis.login.password.empty();
    if (anonymous && SamePlace(redis.address, access.queue->address)) {
      redis.login = access.queue->login;
    }
  }
  if (const auto read = redis::ReadLogin(redis.address, redis.login); !read.ok()) {
    return FailedPrecondition("result store: " + Message(read.status()));
  }
  if (redis.address.tls && redis.tls == nullptr) {
    static const SystemClock kClock;
    ASSIGN_OR_RETURN(redis.tls, tls::ClientContext::Open({}, &kClock));
  }
  return RedisStore::Open(options);
}

StatusOr<std::unique_ptr<ResultStore>> OpenS3(S3Address address, const StoreAccess& access) {
  if (!access.login.user.empty() || !access.login.password.empty()) {
    if (access.login.user.empty() || access.login.password.empty()) {
      return InvalidArgument(
          "a store in S3 needs both --store-user-file and --store-password-file");
    }
    address.transport.key_id_file = access.login.user;
    address.transport.secret_file = access.login.password;
    return S3Store::Open(address.store,
                         std::make_unique<CurlTransport>(std::move(address.transport)));
  }
  AwsCredentials& credentials = address.transport.credentials;
  ASSIGN_OR_RETURN(credentials.access_key_id, ReadVariable("AWS_ACCESS_KEY_ID"));
  ASSIGN_OR_RETURN(credentials.secret_access_key, ReadVariable("AWS_SECRET_ACCESS_KEY"));
  ASSIGN_OR_RETURN(credentials.session_token, ReadVariable("AWS_SESSION_TOKEN"));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return InvalidArgument(
        "a store in S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or "
        "--store-user-file and --store-password-file");
  }
  return S3Store::Open(address.store,
                       std::make_unique<CurlTransport>(std::move(address.transport)));
}

StatusOr<StoreAddress> AddressOf(const std::string& url) {
  ASSIGN_OR_RETURN(const std::string region, DefaultRegion());
  return ParseStoreUrl(url, region);
}

}  // namespace

StatusOr<std::unique_ptr<ResultStore>> OpenStore(const std::string& url,
                                                 const StoreAccess& access) {
  ASSIGN_OR_RETURN(StoreAddress address, AddressOf(url));
  if (const auto* folder = std::get_if<FsStoreOptions>(&address)) return FsStore::Open(*folder);
  if (auto* redis = std::get_if<RedisStoreOptions>(&address)) {
    return OpenRedis(std::move(*redis), access);
  }
  return OpenS3(std::get<S3Address>(std::move(address)), access);
}

StatusOr<std::unique_ptr<ResultStore>> AwaitStore(const std::string& url,
                                                  const StoreAccess& access) {
  auto store = OpenStore(url, access);
  if (store.status().code() != StatusCode::kUnavailable) return store;
  // A folder that can't be used is not about to come.
  ASSIGN_OR_RETURN(const StoreAddress address, AddressOf(url));
  if (std::holds_alternative<FsStoreOptions>(address)) return store;
  std::optional<redis::RedisOptions> queue;
  if (access.queue != nullptr) queue = *access.queue;
  return std::make_unique<LateStore>([url, login = access.login, queue = std::move(queue)] {
    return OpenStore(url, {.login = login, .queue = queue ? &*queue : nullptr});
  });
}

}  // namespace phasor::storage
