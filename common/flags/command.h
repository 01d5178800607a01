// A program's command line: commands, flags, and the fields that they fill. CLI11 does the work and
// is seen by command.cc alone, since its header costs each file that includes it half a minute.
//
//   flags::CommandLine line("phasor", "a prompt becomes a picture");
//   flags::Command& submit = line.AddCommand("submit", "queue jobs");
//   submit.Text("--model", &model, "its name");
//   submit.Runs([&] { ... });
//   ASSIGN_OR_RETURN(const bool run, line.Parse(argc, argv, std::cout));
//
// Values are taken as they were typed: numbers as common/base/number.h reads them, text without any
// syntax of its own ("[a, b]" and "{}" are texts). A field keeps its value where nobody gives it.
// Fields outlive the parsing. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/number.h"
#include "common/base/status.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace phasor::flags {

// One flag or positional, to say more about it. Lives as long as its command.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& Required();
  // This variable gives the value where no flag does.
  Option& FromVariable(const std::string& name);
  // Not without the other.
  Option& Needs(const Option& other);

 private:
  CLI::Option* option_;
};

// Only the words given, in this spelling.
using Words = std::vector<std::string>;

namespace internal {
template <typename T>
struct Plain {
  using type = T;
};
template <typename T>
struct Plain<std::optional<T>> {
  using type = T;
};
inline std::string Shown(double value) { return NumberText(value); }
inline std::string Shown(int value) { return std::to_string(value); }
inline std::string Shown(int64_t value) { return std::to_string(value); }
inline std::string Shown(uint64_t value) { return std::to_string(value); }
template <typename T>
std::string Shown(const std::optional<T>&) {
  return "";
}
}  // namespace internal

// What a flag is called ("-o,--output", or "prompt" for a positional) says `names`, a phrase of
// help `what`. The help shows the value that the field has when the flag is added, unless it is
// empty.
class Command {
 public:
  virtual ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  Command& AddCommand(const std::string& name, const std::string& what);
  // Flags of the commands above may follow this one's name.
  void TakesFlagsOfOthers();
  // Exactly one of its commands has to be named.
  void RequiresCommand();
  // A flag that is given again replaces what it said before, instead of being refused.
  void LastOneWins();
  void Runs(std::function<void()> action);
  // The same, unless one of its commands was named.
  void RunsAlone(std::function<void()> action);

  Option Flag(const std::string& names, bool* field, const std::string& what);
  Option Text(const std::string& names, std::string* field, const std::string& what);
  Option Text(const std::string& names, std::optional<std::string>* field, const std::string& what);
  Option OneOf(const std::string& names, const Words& words, std::string* field,
               const std::string& what);
  // A flag with several values, or again and again; or all positionals that are left.
  Option Texts(const std::string& names, std::vector<std::string>* field, const std::string& what);
  // Separated by commas, and the flag may be repeated.
  Option List(const std::string& names, std::vector<std::string>* field, const std::string& what);

  // T: int, int64_t or uint64_t; the field may be optional.
  template <typename Field, typename T = typename internal::Plain<Field>::type>
  Option Whole(const std::string& names, Field* field, const std::string& what,
               std::type_identity_t<T> low = std::numeric_limits<T>::min(),
               std::type_identity_t<T> high = std::numeric_limits<T>::max()) {
    return Value(names, "INT", what, internal::Shown(*field),
                 [field, low, high](const std::string& text) -> Status {
                   ASSIGN_OR_RETURN(*field, ParseWhole<T>(text, low, high));
                   return OkStatus();
                 });
  }
  template <typename Field>
  Option Number(const std::string& names, Field* field, const std::string& what,
                double low = std::numeric_limits<double>::lowest(),
                double high = std::numeric_limits<double>::max()) {
    return Value(names, "FLOAT", what, internal::Shown(*field),
                 [field, low, high](const std::string& text) -> Status {
                   ASSIGN_OR_RETURN(*field, ParseNumber(text, low, high));
                   return OkStatus();
                 });
  }
  // Any other kind of value. An error of `read` is a phrase, and told with the flag's name.
  Option Value(const std::string& names, const std::string& kind, const std::string& what,
               const std::string& shown, std::function<Status(const std::string&)> read);

  // What completion and documentation are made from, in the order in which it was added.
  struct FlagName {
    std::string name;  // without dashes
    std::string what;
  };
  std::string name() const;
  std::string what() const;
  std::vector<FlagName> flags() const;
  const std::vector<std::unique_ptr<Command>>& commands() const { return commands_; }

 protected:
  explicit Command(CLI::App* app) : app_(app) {}

  CLI::App* const app_;

 private:
  std::vector<std::unique_ptr<Command>> commands_;
};

// The program itself.
class CommandLine final : public Command {
 public:
  CommandLine(const std::string& program, const std::string& description);
  ~CommandLine() override;

  void Version(const std::string& text);
  // Stands below the help.
  void Footer(const std::string& text);
  // Words that no flag knows are passed over.
  void AllowsOthers();

  // False: help or the version was asked for and went to `out`. INVALID_ARGUMENT names the flag.
  // Actions run while this call lasts.
  StatusOr<bool> Parse(const std::vector<std::string>& words, std::ostream& out);
  StatusOr<bool> Parse(int argc, const char* const* argv, std::ostream& out);

 private:
  std::unique_ptr<CLI::App> owned_;
};

}  // namespace phasor::flags
