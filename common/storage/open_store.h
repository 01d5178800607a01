// Opens the result store that a URL names (store_url.h) and checks that it works. For main: it
// reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and
// AWS_DEFAULT_REGION from the environment, once, when the store is in S3 and no files are named.
#pragma once

#include <memory>
#include <string>

#include "common/redis/redis_connection.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

// What a store may want to know of the process, beside its URL.
struct StoreAccess {
  // Files with user and password, in S3 with the access key's id and secret; read anew for each
  // connection or request.
  LoginFiles login = {};
  // The queue's Redis: a store there is reached as the queue is, and another one by rediss:// with
  // the same authorities.
  const redis::RedisOptions* queue = nullptr;
};

// INVALID_ARGUMENT names the part of the URL that is wrong; UNAVAILABLE and FAILED_PRECONDITION say
// what the store lacks.
// `access` outlives nothing but the call, its clock and files the store.
StatusOr<std::unique_ptr<ResultStore>> OpenStore(const std::string& url,
                                                 const StoreAccess& access = {});
// For a process that waits for what it stands on: of a store on the network that does not answer
// yet a LateStore. What can be seen to be wrong (a refusal, no such bucket) is an error at once.
StatusOr<std::unique_ptr<ResultStore>> AwaitStore(const std::string& url,
                                                  const StoreAccess& access = {});

}  // namespace phasor::storage
