// The order in which ready jobs are taken, as plain rules without storage: stride scheduling over
// the classes and fair turns for tenants within one class of one model.
//
// MemoryQueue uses these classes; the Redis adapter's take.lua states the same rules in Lua, and
// a random walk that runs against both compares every grant. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/clock.h"
#include "common/queue/types.h"

namespace phasor::queue {

// What a class's turn costs: shares of 64:16:4:1 while all four have jobs.
inline constexpr std::array<int64_t, 4> kStride = {1, 4, 16, 64};
// How long a class's oldest job should wait at most. Past it the class is overdue and every
// kAgedEvery-th take is for the one that is most so; a quarter of it bounds how long a job waits
// for a worker that has its model loaded.
inline constexpr std::array<int64_t, 4> kMaxWaitMs = {10'000, 30'000, 120'000, 600'000};
inline constexpr int64_t kAgedEvery = 4;
// A model with ready jobs is passed over for warmer ones at most this often.
inline constexpr int kMaxPassedOver = 32;
// How many tenants of the ring one take looks at.
inline constexpr size_t kTenantWindow = 8;
// A tenant's share is counted in its jobs' cost, times this, by its weight.
inline constexpr int64_t kShareScale = 1000;
// So much of what time alone moves is moved before a take at most: delays and leases that are over,
// deadlines that passed. Takes in Redis do it no more often than every kSweepEvery.
inline constexpr int kPromotionsPerTake = 32;
inline constexpr int kRecoveriesPerTake = 8;
inline constexpr int kExpiriesPerTake = 32;
inline constexpr Millis kSweepEvery{20};

// Which class is next. Waldspurger and Weihl, "Stride Scheduling" (MIT/LCS/TM-528, 1995).
class ClassStride {
 public:
  // True when the next take belongs to an overdue class, if there is one.
  bool IsAgedTurn() const { return (takes_ + 1) % kAgedEvery == 0; }
  // The class with the lowest pass among those that have jobs. A class that had none meanwhile
  // starts at the present: idling earns no credit.
  std::optional<int> Pick(const std::array<bool, 4>& ready) const;
  // To be called for each grant; an aged turn costs the class nothing.
  void Charge(int cls, bool aged);

 private:
  int64_t EffectivePass(int cls) const;

  int64_t takes_ = 0;
  int64_t now_ = 0;  // virtual time: the pass of the class served last
  std::array<int64_t, 4> pass_{};
};

// The ready jobs of one class of one model: a list per tenant and a ring of tenants. Each take
// serves the tenant that has used least, in the order of the ring where they are equal; a tenant
// that comes back after its list was empty starts at the present. A tenant that may not have
// another job run now is parked outside the ring and keeps its list.
class TenantRing {
 public:
  void PushBack(const std::string& tenant, const JobId& id);
  void PushFront(const std::string& tenant, const JobId& id);
  bool Remove(const std::string& tenant, const JobId& id);

  // The tenant whose turn it is.
  std::optional<std::string> NextTenant();
  // The tenant's turn costs it `share`, and the next is another's. Its head is to be removed after.
  // A tenant that is alone pays nothing: there is nobody to be fair to.
  void Charge(const std::string& tenant, int64_t share);
  void Park(const std::string& tenant);
  // Back into the ring, at its end and at the present; nothing if the tenant is not parked.
  void Unpark(const std::string& tenant);

  // The head of the list of the tenant at the ring's head: stands for the oldest job, which every
  // turn of the ring brings nearer.
  std::optional<JobId> Head() const;
  const std::deque<JobId>* List(const std::string& tenant) const;
  bool IsParked(const std::string& tenant) const { return parked_.count(tenant) > 0; }
  // In their order; without the parked ones.
  const std::deque<std::string>& tenants() const { return ring_; }
  bool Contains(const JobId& id) const;
  // True when nothing can be taken: there may be jobs of parked tenants.
  bool empty() const { return ring_.empty(); }

 private:
  void Enter(const std::string& tenant);
  void LeaveIfEmpty(const std::string& tenant);

  std::deque<std::string> ring_;
  std::map<std::string, int64_t> used_;
  std::map<std::string, std::deque<JobId>> lists_;
  std::set<std::string> parked_;
  int64_t now_ = 0;  // virtual time: what the tenant served last had used before
};

}  // namespace phasor::queue
