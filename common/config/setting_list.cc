#include "common/config/setting_list.h"

#include "common/base/number.h"

namespace phasor::config {
namespace {

std::string Range(const std::string& low, const std::string& high) { return low + " to " + high; }

std::string Range(double low, double high) { return Range(NumberText(low), NumberText(high)); }

std::string UnitName(Millis unit) {
  if (unit == Millis(1)) return "milliseconds";
  return unit == Millis(1'000) ? "seconds" : "hours";
}

std::string Code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

// A bar would end the cell.
std::string Cell(const std::string& text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

}  // namespace

void SettingList::Text(const Setting& setting, std::string* field) {
  rows_.push_back({setting, "text", *field});
}

void SettingList::Texts(const Setting& setting, std::vector<std::string>* field) {
  std::string all;
  for (const std::string& one : *field) all.append(all.empty() ? "" : ",").append(one);
  rows_.push_back({setting, "a list", all});
}

void SettingList::Flag(const Setting& setting, bool* field) {
  rows_.push_back({setting, "true or false", *field ? "true" : "false"});
}

void SettingList::Whole(const Setting& setting, int low, int high, int* field) {
  rows_.push_back(
      {setting, Range(std::to_string(low), std::to_string(high)), std::to_string(*field)});
}

void SettingList::Count(const Setting& setting, int64_t low, int64_t high,
                        std::optional<int64_t>* field) {
  const std::string initial = field->has_value() ? std::to_string(**field) : "";
  rows_.push_back({setting, Range(std::to_string(low), std::to_string(high)), initial});
}

void SettingList::Number(const Setting& setting, double low, double high, double* field) {
  rows_.push_back({setting, Range(low, high), NumberText(*field)});
}

void SettingList::Duration(const Setting& setting, Millis unit, double low, double high,
                           Millis* field) {
  const double units = static_cast<double>(field->count()) / static_cast<double>(unit.count());
  rows_.push_back({setting, UnitName(unit) + ", " + Range(low, high), NumberText(units)});
}

std::string TableOf(const std::vector<SettingRow>& rows) {
  std::string table = "| Flag | Variable | Takes | Default | |\n|---|---|---|---|---|\n";
  for (const SettingRow& row : rows) {
    std::string variables = Code(VariableOf(row.setting));
    if (!row.setting.also.empty()) variables.append(", ").append(Code(row.setting.also));
    for (const std::string& cell : {Code(FlagOf(row.setting)), variables, row.takes,
                                    Code(row.initial), Cell(row.setting.help)}) {
      table.append("| ").append(cell).append(cell.empty() ? "" : " ");
    }
    table.append("|\n");
  }
  return table;
}

}  // namespace phasor::config
