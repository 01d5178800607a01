// The models that this gateway takes requests for, by name. Immutable and thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/model_card.h"
#include "common/config/model_folder.h"
#include "phasor/v1/models.pb.h"

namespace phasor::gateway {

class ModelCatalog {
 public:
  explicit ModelCatalog(config::ModelFolder models);

  // The card of `name`, or of the only model if `name` is empty; null if there is none.
  const config::ModelCard* Find(const std::string& name) const;
  // "a, b" for error messages.
  std::string Names() const;
  std::vector<std::string> NameList() const;
  const std::map<std::string, config::ModelCard>& cards() const { return cards_; }
  // A sentence for each model that is not among them, and why.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  std::map<std::string, config::ModelCard> cards_;
  const std::vector<std::string> left_out_;
};

v1::Model ToProto(const config::ModelCard& card);

}  // namespace phasor::gateway
