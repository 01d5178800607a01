// The fields of a job in Redis, by name: the one table that the scripts, the codec and the tests
// share. cmake/EmbedLua.cmake puts it into the scripts, where a job is a table with these names;
// tests/lib/redis_layout.py reads it from here. In Redis a field is its place in an array, so new
// ones go to the end. Times are milliseconds.
#pragma once

#include <cstddef>
#include <string_view>

namespace phasor::queue {

struct JobField {
  std::string_view name;
  bool is_number;  // 0 where there is none; a text is false then
};
constexpr JobField Number(std::string_view name) { return {name, true}; }
constexpr JobField Word(std::string_view name) { return {name, false}; }

// s:<id>: what was submitted, written once; the spec's bytes stand behind it. Model and tenant are
// keys (job::KeyName), their names stand beside them where they differ.
inline constexpr JobField kSubmittedFields[] = {
    Word("class"),      Word("model"),       Word("tenant"),  //
    Number("cost"),     Number("deadline"),  Number("keep"),  // after the end
    Number("sequence"), Number("enqueued"),  Word("fingerprint"),
    Word("model_name"), Word("tenant_name"), Number("solo"),
};

// j:<id>: what has become of it; absent until somebody touches the job.
inline constexpr JobField kRecordFields[] = {
    // As submitted.
    Word("class"),
    Word("model"),
    Word("tenant"),
    Number("cost"),
    Number("deadline"),
    Number("keep"),
    Number("sequence"),
    Number("enqueued"),
    Word("model_name"),
    Word("tenant_name"),
    Number("solo"),
    // Its state, how often that changed, and when it did last.
    Word("state"),
    Number("version"),
    Number("changed"),
    // The owner: how many there were, worker and machine, the nonce of its take, the length of its
    // lease, and which models it serves if more than one (' a b ').
    Number("epoch"),
    Word("worker"),
    Word("node"),
    Word("nonce"),
    Number("lease"),
    Word("worker_models"),
    // Its progress: units of work and when the last one ended, steps done.
    Word("phase"),
    Number("units"),
    Number("progressed"),
    Number("step"),
    Word("checkpoint"),
    Number("checkpoint_step"),
    // Failures and lost workers; the machines that were lost (' a b '); who gave it back last.
    Number("tries"),
    Number("crashes"),
    Word("crash_nodes"),
    Word("returned_by"),
    // The epoch that was asked to make room, and how many were.
    Number("preempted_epoch"),
    Number("preemptions"),
    // The end: which one the queue decided for, why, and the pointer to the terminal record.
    Word("wanted"),
    Word("reason"),
    Word("code"),
    Word("result"),
    // The newest failure that may be the job's own, and the machine.
    Word("fault"),
    Word("fault_node"),
    // 1: more than one submit has named it.
    Number("shared"),
    // 1: the owner has renewed; and how many leases ended without that and counted as no crash.
    Number("heard"),
    Number("silences"),
    // When the last owner took it.
    Number("started"),
};

// What lib/view.lua answers of a job.
inline constexpr std::string_view kViewFields[] = {
    "id",     "state",  "phase",   "class", "model",    "model_name", "tenant",   "tenant_name",
    "epoch",  "tries",  "crashes", "step",  "enqueued", "changed",    "deadline", "version",
    "worker", "result", "reason",  "code",  "shared",   "started",
};

// What take.lua answers of a grant, behind the answer to the completion before it. The spec
// follows.
inline constexpr std::string_view kGrantFields[] = {
    "id",         "epoch",       "class",    "model",    "model_name",
    "tenant",     "tenant_name", "crashes",  "tries",    "checkpoint_step",
    "checkpoint", "solo",        "enqueued", "deadline", "lease",
};

// Where a field stands. Does not compile for a name that is not there.
template <size_t n>
consteval size_t At(const std::string_view (&fields)[n], std::string_view name) {
  for (size_t i = 0; i < n; ++i) {
    if (fields[i] == name) return i;
  }
  throw "no such field";
}

}  // namespace phasor::queue
