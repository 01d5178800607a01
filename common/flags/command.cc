#include "common/flags/command.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

namespace phasor::flags {
namespace {

// CLI11 reads "[a, b]" as two values and "{}" as none. A word that looks like either passes it with
// this byte before it, which no terminal types.
constexpr char kShield = '\x1f';

bool NeedsShield(std::string_view value) {
  return !value.empty() && (value[0] == '[' || value[0] == '{' || value[0] == kShield);
}

std::string Shielded(const std::string& word) {
  const size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
  const size_t value = equals == std::string::npos ? 0 : equals + 1;
  if (!NeedsShield(std::string_view(word).substr(value))) return word;
  return word.substr(0, value) + kShield + word.substr(value);
}

std::string Bare(const std::string& text) {
  return !text.empty() && text[0] == kShield ? text.substr(1) : text;
}

void AddSplit(const std::string& text, std::vector<std::string>* parts) {
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    if (comma > begin) parts->push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
}

}  // namespace

Option& Option::Required() {
  option_->required();
  return *this;
}

Option& Option::FromVariable(const std::string& name) {
  option_->envname(name);
  return *this;
}

Option& Option::Needs(const Option& other) {
  option_->needs(other.option_);
  return *this;
}

Command::~Command() = default;

Command& Command::AddCommand(const std::string& name, const std::string& what) {
  struct Below final : Command {
    explicit Below(CLI::App* app) : Command(app) {}
  };
  commands_.push_back(std::make_unique<Below>(app_->add_subcommand(name, what)));
  return *commands_.back();
}

void Command::TakesFlagsOfOthers() { app_->fallthrough(); }

void Command::RequiresCommand() { app_->require_subcommand(1); }

void Command::LastOneWins() {
  app_->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::Runs(std::function<void()> action) { app_->callback(std::move(action)); }

void Command::RunsAlone(std::function<void()> action) {
  app_->callback([app = app_, action = std::move(action)] {
    if (app->get_subcommands().empty()) action();
  });
}

Option Command::Flag(const std::string& names, bool* field, const std::string& what) {
  return Option(app_->add_flag(names, *field, what));
}

Option Command::Value(const std::string& names, const std::string& kind, const std::string& what,
                      const std::string& shown, std::function<Status(const std::string&)> read) {
  // "--output" of "-o,--output".
  const std::string name = names.substr(names.rfind(',') + 1);
  const auto set = [name, read = std::move(read)](const std::string& text) {
    const Status status = read(Bare(text));
    if (!status.ok()) throw CLI::ValidationError(name, Message(status));
  };
  CLI::Option* const option = app_->add_option_function<std::string>(names, set, what);
  option->type_name(kind);
  if (!shown.empty()) option->default_str(shown);
  return Option(option);
}

Option Command::Text(const std::string& names, std::string* field, const std::string& what) {
  return Value(names, "TEXT", what, *field, [field](const std::string& text) {
    *field = text;
    return OkStatus();
  });
}

Option Command::Text(const std::string& names, std::optional<std::string>* field,
                     const std::string& what) {
  return Value(names, "TEXT", what, "", [field](const std::string& text) {
    *field = text;
    return OkStatus();
  });
}

Option Command::OneOf(const std::string& names, const Words& words, std::string* field,
                      const std::string& what) {
  return Value(names, "WORD", what, *field, [field, words](const std::string& text) -> Status {
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      std::string all;
      for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
      return InvalidArgument("must be one of " + all + ", got '" + text + "'");
    }
    *field = text;
    return OkStatus();
  });
}

Option Command::Texts(const std::string& names, std::vector<std::string>* field,
                      const std::string& what) {
  const auto set = [field](const std::vector<std::string>& texts) {
    field->clear();
    for (const std::string& text : texts) field->push_back(Bare(text));
  };
  return Option(app_->add_option_function<std::vector<std::string>>(names, set, what));
}

Option Command::List(const std::string& names, std::vector<std::string>* field,
                     const std::string& what) {
  const auto set = [field](const std::vector<std::string>& texts) {
    field->clear();
    for (const std::string& text : texts) AddSplit(Bare(text), field);
  };
  CLI::Option* const option = app_->add_option_function<std::vector<std::string>>(names, set, what);
  option->allow_extra_args(false);
  return Option(option);
}

std::string Command::name() const { return app_->get_name(); }

std::string Command::what() const { return app_->get_description(); }

std::vector<Command::FlagName> Command::flags() const {
  std::vector<FlagName> names;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back({name, option->get_description()});
    }
  }
  return names;
}

CommandLine::CommandLine(const std::string& program, const std::string& description)
    : Command(new CLI::App(description, program)), owned_(app_) {}

CommandLine::~CommandLine() = default;

void CommandLine::Version(const std::string& text) { app_->set_version_flag("--version", text); }

void CommandLine::Footer(const std::string& text) { app_->footer(text); }

void CommandLine::AllowsOthers() {
  app_->set_help_flag();
  app_->allow_extras();
}

StatusOr<bool> CommandLine::Parse(const std::vector<std::string>& words, std::ostream& out) {
  std::vector<std::string> reversed;  // as CLI11 wants them
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    reversed.push_back(Shielded(*word));
  }
  try {
    app_->parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return InvalidArgument(error.what());
    app_->exit(error, out, out);
    return false;
  }
  return true;
}

StatusOr<bool> CommandLine::Parse(int argc, const char* const* argv, std::ostream& out) {
  return Parse(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), out);
}

}  // namespace phasor::flags
