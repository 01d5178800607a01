// A service's settings in three layers, later ones winning: a YAML file (--config or
// PHASOR_CONFIG), PHASOR_* environment variables, flags. Read once in main, then passed by value.
//
// Raw is the service's own struct of settings in the form the user writes them, with defaults.
// `declare` names each of them once (settings.h).
#pragma once

#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include "common/base/status.h"
#include "common/config/command_secrets.h"
#include "common/config/settings.h"
#include "common/config/yaml_reader.h"
#include "common/flags/command.h"

namespace phasor::config {

template <typename Raw>
struct ProgramOptions {
  std::string program;      // "phasor-gateway"
  std::string description;  // one sentence
  std::string version;
  void (*declare)(Settings& settings, Raw* raw) = nullptr;
  // Reads what only a file can say; may be null.
  void (*read_more)(YamlReader& file, Raw* raw) = nullptr;
  // Puts other defaults into `raw`, as something that was said asks for them; may be null.
  Status (*defaults)(const Raw& said, Raw* raw) = nullptr;
};

namespace internal {

inline void AddConfigFlag(flags::Command& command, std::string* file) {
  command.Text("--config", file, "YAML file; its keys are the flags' names with '_'")
      .FromVariable("PHASOR_CONFIG");
}

// The file has to be known before the flags that override it are read.
template <typename Raw>
std::string FindConfigFile(const ProgramOptions<Raw>& options, int argc, const char* const* argv) {
  Raw ignored;
  std::string file;
  flags::CommandLine line(options.program, options.description);
  line.AllowsOthers();
  AddConfigFlag(line, &file);
  FlagSettings settings(line);
  options.declare(settings, &ignored);
  std::ostringstream unread;
  (void)line.Parse(argc, argv, unread);  // the second reading reports what is wrong
  return file;
}

// An unknown key is an error.
template <typename Raw>
Status ReadFile(const ProgramOptions<Raw>& options, const std::string& path, Raw* raw) {
  ASSIGN_OR_RETURN(YamlReader reader, YamlReader::Open(path));
  FileSettings settings(reader);
  options.declare(settings, raw);
  if (options.read_more != nullptr) options.read_more(reader, raw);
  return reader.Finish();
}

// As far as it can be read; the second reading reports what is wrong.
template <typename Raw>
Raw Said(const ProgramOptions<Raw>& options, const std::string& file, int argc,
         const char* const* argv) {
  Raw raw;
  if (!file.empty()) (void)ReadFile(options, file, &raw);
  flags::CommandLine line(options.program, options.description);
  line.AllowsOthers();
  FlagSettings settings(line);
  options.declare(settings, &raw);
  std::ostringstream unread;
  (void)line.Parse(argc, argv, unread);
  return raw;
}

}  // namespace internal

// nullopt: help or the version was asked for and printed. INVALID_ARGUMENT names flag or key, also
// a flag that shows a password.
template <typename Raw>
StatusOr<std::optional<Raw>> ReadProgramOptions(const ProgramOptions<Raw>& options, int argc,
                                                const char* const* argv) {
  RETURN_IF_ERROR(RefusePasswords(argc, argv));
  Raw raw;
  std::string file = internal::FindConfigFile(options, argc, argv);
  if (options.defaults != nullptr) {
    RETURN_IF_ERROR(options.defaults(internal::Said(options, file, argc, argv), &raw));
  }
  if (!file.empty()) RETURN_IF_ERROR(internal::ReadFile(options, file, &raw));
  flags::CommandLine line(options.program, options.program + ": " + options.description);
  line.Version(options.version);
  internal::AddConfigFlag(line, &file);
  FlagSettings settings(line);
  options.declare(settings, &raw);
  ASSIGN_OR_RETURN(const bool run, line.Parse(argc, argv, std::cout));
  if (!run) return std::optional<Raw>();
  return std::optional<Raw>(std::move(raw));
}

}  // namespace phasor::config
