#include "services/worker/run/offer.h"

#include <algorithm>

namespace phasor::worker {

std::vector<std::string> Offer::Next(const std::vector<std::string>& resident,
                                     const std::function<bool(const std::string&)>& may) {
  std::vector<std::string> offer, others;
  std::copy_if(resident.begin(), resident.end(), std::back_inserter(offer), may);
  for (const std::string& model : models_) {
    const bool warm = std::find(resident.begin(), resident.end(), model) != resident.end();
    if (!warm && may(model)) others.push_back(model);
  }
  if (offer.size() + others.size() <= most_) {
    turn_ = 0;
    offer.insert(offer.end(), others.begin(), others.end());
    return offer;
  }
  // However many are resident, half of the places are for the others.
  offer.resize(std::min(offer.size(), most_ - std::min(others.size(), most_ / 2)));
  size_t next = turn_ < others.size() ? turn_ : 0;
  while (offer.size() < most_ && next < others.size()) offer.push_back(others[next++]);
  turn_ = next < others.size() ? next : 0;
  return offer;
}

}  // namespace phasor::worker
