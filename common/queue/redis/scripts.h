// The Lua scripts of scripts/*.lua, embedded by the build. Each file's header states its contract.
#pragma once

#include <string_view>

namespace phasor::queue {

struct Script {
  const char* name;
  const char* sha1;  // by which Redis knows the text
  std::string_view text;
};

namespace scripts {
extern const Script kSubmit;
extern const Script kTake;
extern const Script kRenew;
extern const Script kComplete;
extern const Script kFail;
extern const Script kRelease;
extern const Script kRecover;
extern const Script kCancel;
extern const Script kAdopt;
extern const Script kSeals;
extern const Script kGet;
extern const Script kList;
extern const Script kStats;
extern const Script kRedrive;
extern const Script kAudit;
extern const Script kHistory;
extern const Script kForget;
extern const Script kPreempt;
extern const Script kSetLimits;
extern const Script kUnpark;
extern const Script kSetTenantLimits;
extern const Script kSetPaused;
}  // namespace scripts

}  // namespace phasor::queue
