// What a program declares as rows, for a page of all settings (docs/settings.md). One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config/settings.h"

namespace phasor::config {

struct SettingRow {
  Setting setting;
  std::string takes;    // "text", "1 to 64", "seconds, 0 to 3600"
  std::string initial;  // the default as somebody would write it; empty: none
};

class SettingList final : public Settings {
 public:
  void Text(const Setting& setting, std::string* field) override;
  void Texts(const Setting& setting, std::vector<std::string>* field) override;
  void Flag(const Setting& setting, bool* field) override;
  void Whole(const Setting& setting, int low, int high, int* field) override;
  void Count(const Setting& setting, int64_t low, int64_t high,
             std::optional<int64_t>* field) override;
  void Number(const Setting& setting, double low, double high, double* field) override;
  void Duration(const Setting& setting, Millis unit, double low, double high,
                Millis* field) override;

  const std::vector<SettingRow>& rows() const { return rows_; }

 private:
  std::vector<SettingRow> rows_;
};

// A Markdown table, in the order of declaration.
std::string TableOf(const std::vector<SettingRow>& rows);

}  // namespace phasor::config
