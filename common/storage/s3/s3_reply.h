// What an S3 server's answers mean. Pure functions.
//
// A server that refuses us (403, an unknown bucket, a wrong region) is the operator's affair: to
// a caller the store is UNAVAILABLE, with the server's own words. NOT_FOUND needs the server to say
// NoSuchKey: a proxy's 404 is no proof that an object is absent.
#pragma once

#include <string>
#include <vector>

#include "common/storage/result_store.h"
#include "common/storage/s3/http_transport.h"

namespace phasor::storage {

// The error of a reply that is none of those that were hoped for.
Status StatusOfReply(const HttpReply& reply);

// A page of ListObjectsV2. `root` begins all keys of this store and is taken off; keys that are
// not legal are passed over. UNAVAILABLE if the answer is no listing.
StatusOr<ListPage> ReadListing(const std::string& body, const std::string& root);

// "2026-11-21T15:18:25.000Z" in ms since the epoch; -1 for anything else.
int64_t ParseTime(const std::string& text);

}  // namespace phasor::storage
