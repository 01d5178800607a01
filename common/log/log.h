// The process's log: one line per event on stderr, a message and key=value fields.
//
//   log::Info("job accepted", {{"job_id", id}, {"images", 4}});
//   2026-01-02T03:04:05.678Z info "job accepted" job_id=abc images=4
//
// Levels: error = someone must act, warn = degraded, info = one line per change of a job's state,
// debug = off in production. Prompts never go in. Libraries return a Status; only the boundary
// (a handler, a loop, main) logs it, once.
// Thread-safe. Configure once, in main, before other threads start; without it: info, text.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kText, kJson };

struct LogConfig {
  Level level = Level::kInfo;
  Format format = Format::kText;
};

// "debug", "info", "warn", "error", "off".
StatusOr<Level> ParseLevel(std::string_view text);
// "text", "json".
StatusOr<Format> ParseFormat(std::string_view text);

// A key of [a-z0-9_] and a value; lives as long as the call.
class Field {
 public:
  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const std::string& value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(value) {}
  // The code's name and the message.
  Field(std::string_view key, const Status& status) : key_(key), value_(status.ToString()) {}
  Field(std::string_view key, bool value)
      : key_(key), value_(value ? "true" : "false"), bare_(true) {}
  Field(std::string_view key, double value);
  template <std::integral Integer>
  Field(std::string_view key, Integer value)
      : key_(key), value_(std::to_string(value)), bare_(true) {}

  std::string_view key() const { return key_; }
  const std::string& value() const { return value_; }
  // A number or a bool: JSON shows it without quotes.
  bool bare() const { return bare_; }

 private:
  std::string_view key_;
  std::string value_;
  bool bare_ = false;
};

using Fields = std::initializer_list<Field>;

// While it lives each line that its thread writes has the field, too: what ties lines together that
// know nothing of each other, such as "trace_id". None, if the value is empty. Ends in the order of
// a stack, on the thread that began it.
class Scope {
 public:
  Scope(std::string_view key, std::string value);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  const bool added_;
};

void Configure(const LogConfig& config);
bool Enabled(Level level);

void Write(Level level, std::string_view message, Fields fields);
inline void Debug(std::string_view message, Fields fields = {}) {
  Write(Level::kDebug, message, fields);
}
inline void Info(std::string_view message, Fields fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warn(std::string_view message, Fields fields = {}) {
  Write(Level::kWarn, message, fields);
}
inline void Error(std::string_view message, Fields fields = {}) {
  Write(Level::kError, message, fields);
}

// What stands behind time and level in a line, with the fields of the thread's scopes. Text: values
// that are not plain words are quoted and escaped, so that a line is always one line. JSON: members
// without the braces; bytes that are no UTF-8 are replaced.
std::string FormatText(std::string_view message, Fields fields);
std::string FormatJson(std::string_view message, Fields fields);

}  // namespace phasor::log
