#include "common/log/log.h"

#include <atomic>
#include <cmath>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <nlohmann/json.hpp>

namespace phasor::log {
namespace {

constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

std::atomic<Level> g_level = Level::kInfo;
std::atomic<Format> g_format = Format::kText;
thread_local std::vector<std::pair<std::string_view, std::string>> t_scopes;

void SetPattern(spdlog::logger* logger, Format format) {
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      format == Format::kJson ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
}

// Never destroyed: threads may log until the very end of the process.
spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("phasor", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    SetPattern(made, Format::kText);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

bool IsPlain(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value) {
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

void AppendQuoted(std::string* line, std::string_view value) {
  line->push_back('"');
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line->push_back('\\');
      line->push_back(c);
    } else if (c == '\n') {
      line->append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      char escaped[5];
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
      line->append(escaped);
    } else {
      line->push_back(c);
    }
  }
  line->push_back('"');
}

std::string JsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void AppendText(std::string* line, const Field& field) {
  line->push_back(' ');
  line->append(field.key());
  line->push_back('=');
  if (IsPlain(field.value())) {
    line->append(field.value());
  } else {
    AppendQuoted(line, field.value());
  }
}

void AppendJson(std::string* line, const Field& field) {
  *line += "," + JsonString(field.key()) + ":";
  *line += field.bare() ? field.value() : JsonString(field.value());
}

}  // namespace

Field::Field(std::string_view key, double value) : key_(key), bare_(std::isfinite(value)) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  value_ = text;
}

StatusOr<Level> ParseLevel(std::string_view text) {
  constexpr std::pair<std::string_view, Level> kNames[] = {{"debug", Level::kDebug},
                                                           {"info", Level::kInfo},
                                                           {"warn", Level::kWarn},
                                                           {"error", Level::kError},
                                                           {"off", Level::kOff}};
  for (const auto& [name, level] : kNames) {
    if (name == text) return level;
  }
  return InvalidArgument("log level must be debug, info, warn, error or off, got '" +
                         std::string(text) + "'");
}

StatusOr<Format> ParseFormat(std::string_view text) {
  if (text == "text") return Format::kText;
  if (text == "json") return Format::kJson;
  return InvalidArgument("log format must be text or json, got '" + std::string(text) + "'");
}

void Configure(const LogConfig& config) {
  g_level = config.level;
  g_format = config.format;
  SetPattern(&Logger(), config.format);
}

bool Enabled(Level level) { return level >= g_level && level != Level::kOff; }

void Write(Level level, std::string_view message, Fields fields) {
  if (!Enabled(level)) return;
  const std::string line =
      g_format == Format::kJson ? FormatJson(message, fields) : FormatText(message, fields);
  Logger().log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

Scope::Scope(std::string_view key, std::string value) : added_(!value.empty()) {
  if (added_) t_scopes.emplace_back(key, std::move(value));
}

Scope::~Scope() {
  if (added_) t_scopes.pop_back();
}

std::string FormatText(std::string_view message, Fields fields) {
  std::string line;
  AppendQuoted(&line, message);
  for (const Field& field : fields) AppendText(&line, field);
  for (const auto& [key, value] : t_scopes) AppendText(&line, {key, value});
  return line;
}

std::string FormatJson(std::string_view message, Fields fields) {
  std::string line = "\"message\":" + JsonString(message);
  for (const Field& field : fields) AppendJson(&line, field);
  for (const auto& [key, value] : t_scopes) AppendJson(&line, {key, value});
  return line;
}

}  // namespace phasor::log
