#include "common/storage/s3/s3_store.h"

#include <algorithm>
#include <utility>

#include "common/base/hash.h"
#include "common/storage/read_each.h"
#include "common/storage/record_codec.h"
#include "common/storage/s3/s3_reply.h"
#include "common/storage/s3/uri.h"

namespace phasor::storage {
namespace {

constexpr size_t kMaxListingBytes = size_t{8} << 20;
constexpr size_t kMaxErrorBytes = 64 << 10;
constexpr int kCreateTries = 3;
constexpr size_t kReaders = 16;  // of the records of one call, each over a connection of its own

bool IsOk(const HttpReply& reply) { return reply.status >= 200 && reply.status < 300; }

// Somebody else's object stands (412), or several writers met (409).
bool IsLost(const HttpReply& reply) { return reply.status == 412 || reply.status == 409; }

// Of a write an answer that fits none leaves the outcome open: no object is missing there.
Status StatusOfWrite(const HttpReply& reply) {
  const Status status = StatusOfReply(reply);
  return status.code() == StatusCode::kNotFound ? Unavailable(Message(status)) : status;
}

// Of the first write to a store: what the server says of us does not pass by itself.
Status StatusOfProbe(const HttpReply& reply) {
  const Status status = StatusOfReply(reply);
  constexpr int kTimeout = 408;
  constexpr int kTooMany = 429;
  const bool about_us = reply.status >= 300 && reply.status < 500 && reply.status != kTimeout &&
                        reply.status != kTooMany;
  return about_us ? FailedPrecondition(Message(status)) : status;
}

StatusOr<TerminalRecord> RecordOf(const std::string& bytes, const job::JobId& id) {
  const std::string key = TerminalKey(id);
  StatusOr<TerminalRecord> record = DecodeRecord(bytes);
  if (!record.ok()) return Annotate(record.status(), key);
  if (record->id != id) return DataLoss(key + " belongs to job " + record->id);
  return record;
}

}  // namespace

S3Store::S3Store(S3StoreOptions options, std::unique_ptr<HttpTransport> transport)
    : options_(std::move(options)),
      root_(options_.prefix.empty() ? "" : options_.prefix + "/"),
      transport_(std::move(transport)) {}

StatusOr<std::unique_ptr<S3Store>> S3Store::Open(const S3StoreOptions& options,
                                                 std::unique_ptr<HttpTransport> transport) {
  if (options.bucket.empty()) return InvalidArgument("the store's bucket has no name");
  if (!options.prefix.empty()) {
    RETURN_IF_ERROR(Annotate(CheckKey(options.prefix), "the store's prefix"));
  }
  auto store = std::unique_ptr<S3Store>(new S3Store(options, std::move(transport)));
  const Status works = store->Probe();
  if (!works.ok()) return Annotate(works, "result store in bucket " + options.bucket);
  return store;
}

Status S3Store::Probe() {
  const std::string token = RandomToken();
  const std::string folder = "probe-" + token;
  const std::string key = folder + "/k#";  // '#' and '/': what a signature gets wrong most easily
  ASSIGN_OR_RETURN(const HttpReply first, PutObject(key, token, true));
  if (first.status == 501 || first.status == 400) {
    return FailedPrecondition("the server refuses conditional writes (" +
                              Message(StatusOfReply(first)) + ")");
  }
  if (!IsOk(first)) return StatusOfProbe(first);
  ASSIGN_OR_RETURN(const HttpReply second, PutObject(key, "other", true));
  const StatusOr<std::string> read = Get(key);
  const StatusOr<ListPage> listed = List(folder, "", 10);
  RETURN_IF_ERROR(Delete(key));
  if (IsOk(second)) {
    return FailedPrecondition(
        "the server ignores If-None-Match, so two workers could both publish the result of one "
        "job; use a server that honours conditional writes");
  }
  if (!IsLost(second)) return StatusOfReply(second);
  RETURN_IF_ERROR(read.status());
  if (*read != token) return FailedPrecondition("the server returns other bytes than were put");
  RETURN_IF_ERROR(listed.status());
  if (listed->objects.size() != 1) return FailedPrecondition("a listing lacks what was put");
  return OkStatus();
}

std::string S3Store::PathOf(const std::string& key) const {
  return "/" + EncodePath(options_.bucket + "/" + root_ + key);
}

StatusOr<HttpReply> S3Store::PutObject(const std::string& key, std::string_view bytes,
                                       bool if_absent) {
  HttpRequest request{.method = "PUT",
                      .path = PathOf(key),
                      .headers = {"Content-Type: application/octet-stream"},
                      .body = bytes,
                      .max_reply_bytes = kMaxErrorBytes};
  if (if_absent) request.headers.push_back("If-None-Match: *");
  StatusOr<HttpReply> reply = transport_->Send(request);
  // An answer that is too long to be read says nothing of what became of the object.
  if (reply.status().code() == StatusCode::kResourceExhausted) {
    return Unavailable(Message(reply.status()));
  }
  return reply;
}

StatusOr<std::string> S3Store::GetObject(const std::string& key, size_t max_bytes) {
  ASSIGN_OR_RETURN(HttpReply reply,
                   transport_->Send({.method = "GET",
                                     .path = PathOf(key),
                                     .max_reply_bytes = std::max(max_bytes, kMaxErrorBytes)}));
  if (reply.status != 200) return StatusOfReply(reply);
  if (reply.body.size() > max_bytes) {
    return ResourceExhausted(key + " has more than " + std::to_string(max_bytes) + " bytes");
  }
  return std::move(reply.body);
}

Status S3Store::Put(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckPut(key));
  if (bytes.size() > options_.max_blob_bytes) {
    return ResourceExhausted(key + " has " + std::to_string(bytes.size()) +
                             " bytes; this store's limit is " +
                             std::to_string(options_.max_blob_bytes));
  }
  ASSIGN_OR_RETURN(const HttpReply reply, PutObject(key, bytes, false));
  return IsOk(reply) ? OkStatus() : StatusOfWrite(reply);
}

StatusOr<std::string> S3Store::Get(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  return GetObject(key, options_.max_blob_bytes);
}

Status S3Store::Delete(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  ASSIGN_OR_RETURN(const HttpReply reply, transport_->Send({.method = "DELETE",
                                                            .path = PathOf(key),
                                                            .max_reply_bytes = kMaxErrorBytes}));
  if (IsOk(reply)) return OkStatus();
  const Status status = StatusOfReply(reply);
  return status.code() == StatusCode::kNotFound ? OkStatus() : status;
}

StatusOr<ListPage> S3Store::List(const std::string& prefix, const std::string& cursor, int limit) {
  RETURN_IF_ERROR(CheckList(prefix, limit));
  HttpRequest request{.method = "GET",
                      .path = "/" + EncodePath(options_.bucket),
                      .query = {{"list-type", "2"},
                                {"max-keys", std::to_string(limit)},
                                {"prefix", root_ + prefix + "/"}},
                      .max_reply_bytes = kMaxListingBytes};
  if (!cursor.empty()) request.query["continuation-token"] = cursor;
  ASSIGN_OR_RETURN(const HttpReply reply, transport_->Send(request));
  if (reply.status != 200) return StatusOfReply(reply);
  return ReadListing(reply.body, root_);
}

StatusOr<TerminalRecord> S3Store::CreateTerminal(const TerminalRecord& record) {
  ASSIGN_OR_RETURN(const std::string bytes, EncodeRecord(record));
  ASSIGN_OR_RETURN(const std::string stands,
                   Create(TerminalKey(record.id), bytes, kMaxRecordBytes));
  return RecordOf(stands, record.id);
}

StatusOr<std::string> S3Store::CreateOnce(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckCreateOnce(key));
  return Create(key, bytes, options_.max_blob_bytes);
}

StatusOr<std::string> S3Store::Create(const std::string& key, std::string_view bytes,
                                      size_t max_bytes) {
  for (int i = 0; i < kCreateTries; ++i) {
    ASSIGN_OR_RETURN(const HttpReply reply, PutObject(key, bytes, true));
    if (IsOk(reply)) return std::string(bytes);
    if (!IsLost(reply)) return StatusOfWrite(reply);
    StatusOr<std::string> stands = GetObject(key, max_bytes);
    // Writers that met may all have lost, and nothing stands: once more.
    if (stands.status().code() == StatusCode::kNotFound) continue;
    // That it is too large to be read does not mean that the store is full.
    if (stands.status().code() == StatusCode::kResourceExhausted) {
      return DataLoss(Message(stands.status()));
    }
    return stands;
  }
  return Unavailable(key + " meets other writers again and again");
}

std::vector<StatusOr<TerminalRecord>> S3Store::ReadTerminals(const std::vector<job::JobId>& ids) {
  return ReadEach(ids, kReaders, [this](const job::JobId& id) { return ReadRecord(id); });
}

StatusOr<TerminalRecord> S3Store::ReadRecord(const job::JobId& id) {
  if (!job::IsValidJobId(id)) return InvalidArgument("id is no job id");
  const std::string key = TerminalKey(id);
  StatusOr<std::string> bytes = GetObject(key, kMaxRecordBytes);
  if (bytes.status().code() == StatusCode::kResourceExhausted) {
    return DataLoss(Message(bytes.status()));
  }
  if (bytes.status().code() == StatusCode::kNotFound) {
    return NotFound("no terminal record of job " + id);
  }
  RETURN_IF_ERROR(bytes.status());
  return RecordOf(*bytes, id);
}

}  // namespace phasor::storage
