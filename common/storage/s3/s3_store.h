// The result store in an S3 bucket, with path-style addressing: AWS, MinIO, Ceph and their like.
//
// The terminal record is put with `If-None-Match: *`, which the server lets one writer win; a
// server that ignores it is refused at the start, because two workers could both publish. After an
// unknown outcome (a lost reply, a timeout) the repeat reads what stands and finds its own record.
//
// Thread-safe, and safe between processes and machines. Each call is one request, or two for a
// record that somebody else created, or one for each record that is read; none is repeated here.
#pragma once

#include <memory>
#include <string>

#include "common/storage/result_store.h"
#include "common/storage/s3/http_transport.h"

namespace phasor::storage {

struct S3StoreOptions {
  std::string bucket;
  std::string prefix;                       // of all keys, without '/' at its ends; may be empty
  size_t max_blob_bytes = size_t{1} << 30;  // larger ones are RESOURCE_EXHAUSTED on both ways
};

class S3Store final : public ResultStore {
 public:
  // Puts, reads, lists and deletes a probe: a store that cannot work fails here.
  // FAILED_PRECONDITION if the server does not honour If-None-Match.
  static StatusOr<std::unique_ptr<S3Store>> Open(const S3StoreOptions& options,
                                                 std::unique_ptr<HttpTransport> transport);

  Status Put(const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Get(const std::string& key) override;
  Status Delete(const std::string& key) override;
  // The cursor is the server's continuation token. Grouping relies on the order of general purpose
  // buckets, by the bytes of the key.
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor, int limit) override;
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override;
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override;
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override;

 private:
  StatusOr<TerminalRecord> ReadRecord(const job::JobId& id);
  S3Store(S3StoreOptions options, std::unique_ptr<HttpTransport> transport);
  Status Probe();
  std::string PathOf(const std::string& key) const;
  StatusOr<HttpReply> PutObject(const std::string& key, std::string_view bytes, bool if_absent);
  StatusOr<std::string> GetObject(const std::string& key, size_t max_bytes);
  // Returns what stands, of at most `max_bytes`.
  StatusOr<std::string> Create(const std::string& key, std::string_view bytes, size_t max_bytes);

  const S3StoreOptions options_;
  const std::string root_;  // what stands before each key in the bucket
  const std::unique_ptr<HttpTransport> transport_;
};

}  // namespace phasor::storage
