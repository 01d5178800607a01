// A program's settings, each declared once with its key, bounds and help; the declaration serves
// the YAML file, the environment and the flags alike.
//
// The key "work_threads" is the flag --work-threads and the variable PHASOR_WORK_THREADS, unless
// the declaration names another variable. Fields keep their value, the default, where nobody sets
// them. The fields must outlive the parsing. One thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/config/yaml_reader.h"
#include "common/flags/command.h"

namespace phasor::config {

struct Setting {
  std::string key;            // [a-z_]
  std::string help;           // a phrase without a full stop
  std::string variable = "";  // empty: PHASOR_<KEY>
  std::string also = "";      // a variable that counts where that one is not set
};

// "--work-threads".
std::string FlagOf(const Setting& setting);
// "PHASOR_WORK_THREADS".
std::string VariableOf(const Setting& setting);

class Settings {
 public:
  virtual ~Settings() = default;
  virtual void Text(const Setting& setting, std::string* field) = 0;
  // In a file a list; in a flag or variable separated by commas, and the flag may be repeated.
  virtual void Texts(const Setting& setting, std::vector<std::string>* field) = 0;
  // A flag without a value; in a variable or file true or false.
  virtual void Flag(const Setting& setting, bool* field) = 0;
  virtual void Whole(const Setting& setting, int low, int high, int* field) = 0;
  // A number that is absent where nobody gives it.
  virtual void Count(const Setting& setting, int64_t low, int64_t high,
                     std::optional<int64_t>* field) = 0;
  virtual void Number(const Setting& setting, double low, double high, double* field) = 0;
  // Given in `unit`s, fractions allowed; `low` and `high` too.
  virtual void Duration(const Setting& setting, Millis unit, double low, double high,
                        Millis* field) = 0;

  void Seconds(const Setting& setting, double low, double high, Millis* field) {
    Duration(setting, Millis(1'000), low, high, field);
  }
  void Hours(const Setting& setting, double low, double high, Millis* field) {
    Duration(setting, Millis(3'600'000), low, high, field);
  }
};

// Reads each setting from the file as it is declared. The reader's Finish has the errors.
class FileSettings final : public Settings {
 public:
  explicit FileSettings(YamlReader& reader) : reader_(reader) {}
  void Text(const Setting& setting, std::string* field) override;
  void Texts(const Setting& setting, std::vector<std::string>* field) override;
  void Flag(const Setting& setting, bool* field) override;
  void Whole(const Setting& setting, int low, int high, int* field) override;
  void Count(const Setting& setting, int64_t low, int64_t high,
             std::optional<int64_t>* field) override;
  void Number(const Setting& setting, double low, double high, double* field) override;
  void Duration(const Setting& setting, Millis unit, double low, double high,
                Millis* field) override;

 private:
  YamlReader& reader_;
};

// Binds each setting to a flag and a variable, for the command line to parse afterwards.
class FlagSettings final : public Settings {
 public:
  explicit FlagSettings(flags::Command& command) : command_(command) {}
  void Text(const Setting& setting, std::string* field) override;
  void Texts(const Setting& setting, std::vector<std::string>* field) override;
  void Flag(const Setting& setting, bool* field) override;
  void Whole(const Setting& setting, int low, int high, int* field) override;
  void Count(const Setting& setting, int64_t low, int64_t high,
             std::optional<int64_t>* field) override;
  void Number(const Setting& setting, double low, double high, double* field) override;
  void Duration(const Setting& setting, Millis unit, double low, double high,
                Millis* field) override;

 private:
  flags::Command& command_;
};

}  // namespace phasor::config
