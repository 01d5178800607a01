#include "common/storage/open_store.h"

#include <utility>

#include "common/base/environment.h"
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

StatusOr<std::unique_ptr<ResultStore>> OpenS3(S3Address address) {
  AwsCredentials& credentials = address.transport.credentials;
  ASSIGN_OR_RETURN(credentials.access_key_id, ReadVariable("AWS_ACCESS_KEY_ID"));
  ASSIGN_OR_RETURN(credentials.secret_access_key, ReadVariable("AWS_SECRET_ACCESS_KEY"));
  ASSIGN_OR_RETURN(credentials.session_token, ReadVariable("AWS_SESSION_TOKEN"));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return InvalidArgument(
        "a store in S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
  }
  return S3Store::Open(address.store,
                       std::make_unique<CurlTransport>(std::move(address.transport)));
}

}  // namespace

StatusOr<std::unique_ptr<ResultStore>> OpenStore(const std::string& url) {
  ASSIGN_OR_RETURN(const std::string region, DefaultRegion());
  ASSIGN_OR_RETURN(StoreAddress address, ParseStoreUrl(url, region));
  if (const auto* folder = std::get_if<FsStoreOptions>(&address)) return FsStore::Open(*folder);
  if (const auto* redis = std::get_if<RedisStoreOptions>(&address)) return RedisStore::Open(*redis);
  return OpenS3(std::get<S3Address>(std::move(address)));
}

}  // namespace phasor::storage
