#include "common/config/settings.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace phasor::config {

std::string FlagOf(const Setting& setting) {
  std::string flag = "--" + setting.key;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string VariableOf(const Setting& setting) {
  if (!setting.variable.empty()) return setting.variable;
  std::string variable = "PHASOR_";
  for (const char c : setting.key) {
    variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

namespace {

// Of the two that it may have, the one that is set.
std::string SetVariableOf(const Setting& setting) {
  std::string variable = VariableOf(setting);
  const bool other = !setting.also.empty() && std::getenv(variable.c_str()) == nullptr &&
                     std::getenv(setting.also.c_str()) != nullptr;
  return other ? setting.also : variable;
}

double In(Millis unit, Millis time) {
  return static_cast<double>(time.count()) / static_cast<double>(unit.count());
}

Millis From(Millis unit, double units) {
  return Millis(static_cast<int64_t>(units * static_cast<double>(unit.count())));
}

}  // namespace

void FileSettings::Text(const Setting& setting, std::string* field) {
  reader_.String(setting.key, field);
}

void FileSettings::Texts(const Setting& setting, std::vector<std::string>* field) {
  reader_.Strings(setting.key, field);
}

void FileSettings::Flag(const Setting& setting, bool* field) { reader_.Bool(setting.key, field); }

void FileSettings::Whole(const Setting& setting, int low, int high, int* field) {
  reader_.Int(setting.key, low, high, field);
}

void FileSettings::Count(const Setting& setting, int64_t low, int64_t high,
                         std::optional<int64_t>* field) {
  if (reader_.Has(setting.key)) reader_.Int(setting.key, low, high, &field->emplace());
}

void FileSettings::Number(const Setting& setting, double low, double high, double* field) {
  reader_.Double(setting.key, low, high, field);
}

void FileSettings::Duration(const Setting& setting, Millis unit, double low, double high,
                            Millis* field) {
  double units = In(unit, *field);
  reader_.Double(setting.key, low, high, &units);
  *field = From(unit, units);
}

void FlagSettings::Text(const Setting& setting, std::string* field) {
  command_.Text(FlagOf(setting), field, setting.help).FromVariable(SetVariableOf(setting));
}

void FlagSettings::Texts(const Setting& setting, std::vector<std::string>* field) {
  command_.List(FlagOf(setting), field, setting.help).FromVariable(SetVariableOf(setting));
}

void FlagSettings::Flag(const Setting& setting, bool* field) {
  command_.Flag(FlagOf(setting), field, setting.help).FromVariable(SetVariableOf(setting));
}

void FlagSettings::Whole(const Setting& setting, int low, int high, int* field) {
  command_.Whole(FlagOf(setting), field, setting.help, low, high)
      .FromVariable(SetVariableOf(setting));
}

void FlagSettings::Count(const Setting& setting, int64_t low, int64_t high,
                         std::optional<int64_t>* field) {
  command_.Whole(FlagOf(setting), field, setting.help, low, high)
      .FromVariable(SetVariableOf(setting));
}

void FlagSettings::Number(const Setting& setting, double low, double high, double* field) {
  command_.Number(FlagOf(setting), field, setting.help, low, high)
      .FromVariable(SetVariableOf(setting));
}

void FlagSettings::Duration(const Setting& setting, Millis unit, double low, double high,
                            Millis* field) {
  const auto set = [field, unit, low, high](const std::string& text) -> Status {
    ASSIGN_OR_RETURN(const double units, ParseNumber(text, low, high));
    *field = From(unit, units);
    return OkStatus();
  };
  command_.Value(FlagOf(setting), "FLOAT", setting.help, NumberText(In(unit, *field)), set)
      .FromVariable(SetVariableOf(setting));
}

}  // namespace phasor::config
