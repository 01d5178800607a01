// The words that every layer uses for a job: id, priority, state, phase. Plain values without
// proto and without Redis; converters stand at the edges.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace phasor::job {

// 32 characters of lower-case base32; a redriven job carries "#<generation>" behind it.
using JobId = std::string;

// The queue's classes, most urgent first. The numbers are stored in Redis keys.
enum class Priority { kUrgent = 0, kHigh = 1, kNormal = 2, kLow = 3 };
inline constexpr std::array<Priority, 4> kPriorities = {Priority::kUrgent, Priority::kHigh,
                                                        Priority::kNormal, Priority::kLow};

// Where a job is. The legal chain:
//
//   kQueued -> kLeased -> kDone
//      ^          |
//      |          +-> kWaiting (retry with a delay) -> kQueued
//      |          +-> kSealing -> kDead | kExpired (or what the terminal record says)
//      +----------+   (released or recovered)
//
// kSealing: the queue has decided the end and the terminal record is still to be written; a job
// that waits past its deadline gets there too. A cancel leads from every state that is not
// terminal to kCanceled. The last four are terminal and never change.
enum class State { kQueued, kWaiting, kLeased, kSealing, kDone, kDead, kCanceled, kExpired };

bool IsTerminal(State state);

// What a leased job's pipeline is doing; a fast hint, never the truth about the job.
enum class Phase { kNone, kInitializing, kEncoding, kDenoising, kDecoding, kPublishing };

std::string_view ToString(Priority priority);  // "URGENT"
std::string_view ToString(State state);        // "QUEUED"
std::string_view ToString(Phase phase);        // "DIFFUSION_RUNNING", "" for kNone
std::optional<Priority> ParsePriority(std::string_view text);
std::optional<State> ParseState(std::string_view text);
std::optional<Phase> ParsePhase(std::string_view text);

// Names that a user chose (model, tenant) enter keys and paths only in this form: up to 24
// characters of lower-case letters, digits and '-', or else a hash.
std::string KeyName(std::string_view name);

// The id of a submit: the same tenant and idempotency key always name the same job, also after
// the queue lost it. `secret` is the server's.
JobId MakeJobId(std::string_view secret, std::string_view tenant, std::string_view idempotency_key);

// False for what MakeJobId gives to no job of the tenant: an id ends with a tag of its tenant, so
// that a foreign id is told from the tenant's own without asking anybody. The tag is no secret, and
// true proves nothing. An empty tenant: any may be.
bool MayBeOf(std::string_view id, std::string_view tenant);

// True for what MakeJobId gives, with or without a generation: checked before a key is built.
bool IsValidJobId(std::string_view id);

}  // namespace phasor::job
