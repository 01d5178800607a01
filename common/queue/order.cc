#include "common/queue/order.h"

#include <algorithm>

namespace phasor::queue {

int64_t ClassStride::EffectivePass(int cls) const { return std::max(pass_[cls], now_); }

std::optional<int> ClassStride::Pick(const std::array<bool, 4>& ready) const {
  std::optional<int> best;
  for (int cls = 0; cls < 4; ++cls) {
    if (ready[cls] && (!best || EffectivePass(cls) < EffectivePass(*best))) best = cls;
  }
  return best;
}

void ClassStride::Charge(int cls, bool aged) {
  ++takes_;
  if (aged) return;
  now_ = EffectivePass(cls);
  pass_[cls] = now_ + kStride[cls];
}

void TenantRing::Enter(const std::string& tenant) {
  if (used_.emplace(tenant, now_).second) ring_.push_back(tenant);
}

void TenantRing::LeaveIfEmpty(const std::string& tenant) {
  if (!lists_[tenant].empty()) return;
  lists_.erase(tenant);
  used_.erase(tenant);
  if (parked_.erase(tenant) == 0) ring_.erase(std::find(ring_.begin(), ring_.end(), tenant));
  if (lists_.empty()) now_ = 0;
}

void TenantRing::Park(const std::string& tenant) {
  ring_.erase(std::find(ring_.begin(), ring_.end(), tenant));
  parked_.insert(tenant);
}

void TenantRing::Unpark(const std::string& tenant) {
  if (parked_.erase(tenant) == 0) return;
  used_.at(tenant) = std::max(used_.at(tenant), now_);
  ring_.push_back(tenant);
}

void TenantRing::PushBack(const std::string& tenant, const JobId& id) {
  lists_[tenant].push_back(id);
  Enter(tenant);
}

void TenantRing::PushFront(const std::string& tenant, const JobId& id) {
  lists_[tenant].push_front(id);
  Enter(tenant);
}

bool TenantRing::Remove(const std::string& tenant, const JobId& id) {
  const auto list = lists_.find(tenant);
  if (list == lists_.end()) return false;
  const auto found = std::find(list->second.begin(), list->second.end(), id);
  if (found == list->second.end()) return false;
  list->second.erase(found);
  LeaveIfEmpty(tenant);
  return true;
}

std::optional<std::string> TenantRing::NextTenant() {
  const auto end = ring_.begin() + static_cast<ptrdiff_t>(std::min(kTenantWindow, ring_.size()));
  const auto best = std::min_element(ring_.begin(), end, [this](const auto& a, const auto& b) {
    return used_.at(a) < used_.at(b);
  });
  if (best == end) return std::nullopt;
  return *best;
}

void TenantRing::Charge(const std::string& tenant, int64_t share) {
  if (ring_.size() == 1) return;
  int64_t& used = used_.at(tenant);
  now_ = std::max(now_, used);
  used += share;
  ring_.erase(std::find(ring_.begin(), ring_.end(), tenant));
  ring_.push_back(tenant);
}

std::optional<JobId> TenantRing::Head() const {
  if (ring_.empty()) return std::nullopt;
  return lists_.at(ring_.front()).front();
}

const std::deque<JobId>* TenantRing::List(const std::string& tenant) const {
  const auto list = lists_.find(tenant);
  return list == lists_.end() ? nullptr : &list->second;
}

bool TenantRing::Contains(const JobId& id) const {
  return std::any_of(lists_.begin(), lists_.end(), [&](const auto& entry) {
    return std::find(entry.second.begin(), entry.second.end(), id) != entry.second.end();
  });
}

}  // namespace phasor::queue
