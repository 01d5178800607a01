// Where results are stored, as one text:
//
//   /path, path or file:///path
//   redis://[[user]:password@]host[:port][/db][?ttl=72h&record_ttl=30d&max_blob=16MiB], and the
//   same with rediss:// for TLS
//   unix:///path/to/redis.sock[?db=N&...]
//   s3://bucket[/prefix][?endpoint=https://host:port&region=eu-central-1&timeout=30s]
//
// Times are whole numbers of ms, s, m, h or d, "0" stands for ever; sizes of KiB, MiB or GiB. Both
// may be percent-encoded. Credentials for S3 never stand here: they come from the environment.
// Errors are INVALID_ARGUMENT, name the part that is wrong and never show a password. Pure.
#pragma once

#include <string>
#include <variant>

#include "common/storage/fs/fs_store.h"
#include "common/storage/redis/redis_store.h"
#include "common/storage/s3/curl_transport.h"
#include "common/storage/s3/s3_store.h"

namespace phasor::storage {

struct S3Address {
  S3StoreOptions store;
  CurlTransportOptions transport;  // without credentials
};

using StoreAddress = std::variant<FsStoreOptions, RedisStoreOptions, S3Address>;

// `default_region` is for S3 URLs that name none.
StatusOr<StoreAddress> ParseStoreUrl(const std::string& url, const std::string& default_region);

}  // namespace phasor::storage
