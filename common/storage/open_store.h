// Opens the result store that a URL names (store_url.h) and checks that it works. For main: it
// reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and
// AWS_DEFAULT_REGION from the environment, once, when the store is in S3.
#pragma once

#include <memory>
#include <string>

#include "common/storage/result_store.h"

namespace phasor::storage {

// INVALID_ARGUMENT names the part of the URL that is wrong; UNAVAILABLE and FAILED_PRECONDITION say
// what the store lacks.
StatusOr<std::unique_ptr<ResultStore>> OpenStore(const std::string& url);

}  // namespace phasor::storage
