#include "common/storage/open_store.h"

#include <cstdlib>
#include <utility>

#include "common/storage/store_url.h"

namespace phasor::storage {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string DefaultRegion() {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const std::string region = Variable(name); !region.empty()) return region;
  }
  return "us-east-1";
}

StatusOr<std::unique_ptr<ResultStore>> OpenS3(S3Address address) {
  address.transport.credentials = {.access_key_id = Variable("AWS_ACCESS_KEY_ID"),
                                   .secret_access_key = Variable("AWS_SECRET_ACCESS_KEY"),
                                   .session_token = Variable("AWS_SESSION_TOKEN")};
  const AwsCredentials& credentials = address.transport.credentials;
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return InvalidArgument(
        "a store in S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
  }
  return S3Store::Open(address.store,
                       std::make_unique<CurlTransport>(std::move(address.transport)));
}

}  // namespace

StatusOr<std::unique_ptr<ResultStore>> OpenStore(const std::string& url) {
  ASSIGN_OR_RETURN(StoreAddress address, ParseStoreUrl(url, DefaultRegion()));
  if (const auto* folder = std::get_if<FsStoreOptions>(&address)) return FsStore::Open(*folder);
  if (const auto* redis = std::get_if<RedisStoreOptions>(&address)) return RedisStore::Open(*redis);
  return OpenS3(std::get<S3Address>(std::move(address)));
}

}  // namespace phasor::storage
