// Where results live: picture blobs, checkpoints and the terminal record of each job.
//
// The terminal record decides: it is created if absent, first writer wins, and what it says never
// changes. Blobs get unique names before the record names them, so a loser's blob is an orphan
// that nobody reads. Implementations are thread-safe; one contract suite
// (common/storage/result_store_contract.h) runs against all.
// Errors: NOT_FOUND; RESOURCE_EXHAUSTED (the store is full, or the bytes are above its limit;
// nothing half-written is visible); UNAVAILABLE (outcome unknown, or the store refuses us: repeat);
// INVALID_ARGUMENT (a name that is no legal key); DATA_LOSS (a record that cannot be read).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/job/types.h"

namespace phasor::storage {

// One picture of a finished job.
struct ResultImage {
  std::string blob;    // its name in the store
  std::string sha256;  // hex, of the encoded bytes
  uint64_t bytes = 0;
  uint64_t seed = 0;
  int width = 0;   // pixels
  int height = 0;  // pixels
};

// How a job ended; the body of jobs/<id>/terminal. It never changes, so what it lacks it lacks for
// ever. Times are ms since the epoch.
struct TerminalRecord {
  job::JobId id;
  job::State state = job::State::kDone;
  std::string reason;  // why, unless DONE
  std::string code;    // status code name, unless DONE
  int64_t epoch = 0;
  std::string nonce;
  std::string worker;
  std::string tenant;
  std::string model;        // as the user named it
  int64_t accepted_ms = 0;  // by the queue's clock; 0: not known
  // When its last owner began, by that one's clock, or by the queue's where no worker wrote this;
  // 0: nobody had it, or unknown.
  int64_t started_ms = 0;
  int64_t finished_ms = 0;  // wall clock of the writer
  std::vector<ResultImage> images;
  std::string details;  // opaque bytes: timings, attempts and so on for the client
  // Fields that a later version added, as a JSON object; "" if there are none. Read, never written.
  std::string later_fields;
};

// What a listing tells of one object.
struct StoredObject {
  std::string key;
  int64_t modified_ms = 0;  // when it was last written, by the store's wall clock
};

struct ListPage {
  std::vector<StoredObject> objects;
  std::string next;  // cursor of the page behind this one; "": there is none
};

inline constexpr int kMaxListPage = 1000;

// `key` is at most 512 characters: segments of 1 to 200 of [A-Za-z0-9._#-] joined by '/', none of
// them "." or "..", none with ".tmp-" in it. No key is a prefix segment of another.
bool IsLegalKey(std::string_view key);
// INVALID_ARGUMENT with the key's beginning.
Status CheckKey(std::string_view key);

class ResultStore {
 public:
  virtual ~ResultStore() = default;

  // Durable when it returns OK. Overwrites, but neither a terminal record nor the store's identity:
  // INVALID_ARGUMENT.
  virtual Status Put(const std::string& key, std::string_view bytes) = 0;
  virtual StatusOr<std::string> Get(const std::string& key) = 0;
  // OK also when absent.
  virtual Status Delete(const std::string& key) = 0;
  // At most `limit` (1 to kMaxListPage) of the objects below "<prefix>/", terminal records among
  // them. `cursor` is "" or a page's `next`. What is there during the whole walk is met exactly
  // once, all objects of one job one after another; a page may be empty and others follow.
  virtual StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor,
                                  int limit) = 0;

  // Creates the record if there is none; durable when it returns. Returns the record that stands:
  // the given one or, if another writer was first, that one's.
  virtual StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) = 0;
  // Answer i for id i, NOT_FOUND while that job has not ended; what one of them gets says nothing
  // of the others. Adapters ask about all of them at once, so that many take about as long as one.
  virtual std::vector<StatusOr<TerminalRecord>> ReadTerminals(
      const std::vector<job::JobId>& ids) = 0;
  StatusOr<TerminalRecord> ReadTerminal(const job::JobId& id) {
    return std::move(ReadTerminals({id}).front());
  }

  // Creates the object if there is none; durable when it returns, and it does not expire. Returns
  // the bytes that stand: the given ones or another writer's. For what a store has once
  // (identity.h); INVALID_ARGUMENT for a terminal record, which CreateTerminal makes.
  virtual StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) = 0;
};

// All pages at once: for prefixes with few keys, such as a job's.
StatusOr<std::vector<std::string>> ListKeys(ResultStore& store, const std::string& prefix);

// Whether a write that got this error may stand all the same, now or later. Full stores and illegal
// arguments refuse before anything happens; everything else may have come after the deed.
bool MayHaveHappened(const Status& status);

// What every List refuses: an illegal prefix or limit. INVALID_ARGUMENT.
Status CheckList(const std::string& prefix, int limit);
// What every Put refuses: an illegal key, that of a terminal record and that of the store's
// identity. INVALID_ARGUMENT.
Status CheckPut(const std::string& key);
// What every CreateOnce refuses: an illegal key and that of a terminal record. INVALID_ARGUMENT.
Status CheckCreateOnce(const std::string& key);

// Names of what belongs to a job. The '#' of a generation is kept.
std::string BlobKey(const job::JobId& id, int64_t epoch, const std::string& nonce, int image);
std::string CheckpointKey(const job::JobId& id, int64_t epoch, int step);
std::string TerminalKey(const job::JobId& id);

// The object that says which store this is (identity.h).
inline constexpr char kIdentityKey[] = "identity";

// What a key names, for those who read listings.
enum class ObjectKind { kBlob, kCheckpoint, kTerminal, kOther };
struct JobObject {
  job::JobId id;
  ObjectKind kind = ObjectKind::kOther;
};
// nullopt if the key belongs to no job.
std::optional<JobObject> ParseJobKey(std::string_view key);

}  // namespace phasor::storage
