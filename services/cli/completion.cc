#include "services/cli/completion.h"

#include <memory>
#include <ostream>
#include <vector>

#include <CLI/CLI.hpp>

namespace phasor::cli {
namespace {

struct Flag {
  std::string name;  // without dashes
  std::string what;
};

std::vector<Flag> FlagsOf(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags.push_back({name, option->get_description()});
    }
  }
  return flags;
}

std::string Words(const std::vector<Flag>& flags) {
  std::string words;
  for (const Flag& flag : flags) words += (words.empty() ? "--" : " --") + flag.name;
  return words;
}

// For single quotes of a shell.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Commands(const CLI::App& app) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands({})) {
    words += (words.empty() ? "" : " ") + command->get_name();
  }
  return words;
}

// zsh runs the same function through its emulation of bash's completion.
std::string Bash(const CLI::App& app) {
  std::string script =
      "_phasor() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words depth=1\n"
      "  case \"${COMP_WORDS[1]}\" in\n";
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::string below = Commands(*command);
    script += "    " + command->get_name() + ") " + (below.empty() ? "" : "depth=2 ") + "words=" +
              Quoted((below.empty() ? "" : below + " ") + Words(FlagsOf(*command)) + " " +
                     Words(FlagsOf(app))) +
              " ;;\n";
  }
  script += "    *) words=" + Quoted(Commands(app) + " " + Words(FlagsOf(app))) +
            " ;;\n"
            "  esac\n"
            "  if [[ \"$word\" == -* || $COMP_CWORD -le $depth ]]; then\n"
            "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
            "  else\n"
            "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
            "  fi\n"
            "}\n"
            "complete -F _phasor phasor\n";
  return script;
}

std::string Fish(const CLI::App& app) {
  std::string script;
  for (const CLI::App* command : app.get_subcommands({})) {
    script += "complete -c phasor -n __fish_use_subcommand -f -a " + command->get_name() + " -d " +
              Quoted(command->get_description()) + "\n";
    for (const CLI::App* below : command->get_subcommands({})) {
      script += "complete -c phasor -n '__fish_seen_subcommand_from " + command->get_name() +
                "' -f -a " + below->get_name() + " -d " + Quoted(below->get_description()) + "\n";
    }
    for (const Flag& flag : FlagsOf(*command)) {
      script += "complete -c phasor -n '__fish_seen_subcommand_from " + command->get_name() +
                "' -l " + flag.name + " -d " + Quoted(flag.what) + "\n";
    }
  }
  for (const Flag& flag : FlagsOf(app)) {
    script += "complete -c phasor -l " + flag.name + " -d " + Quoted(flag.what) + "\n";
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CLI::App& app, const std::string& shell) {
  if (shell == "fish") return Fish(app);
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + Bash(app);
  return Bash(app);
}

void AddCompletion(CLI::App& app, std::ostream& out) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "print a shell's completion script");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &out, shell] { out << CompletionScript(app, *shell); });
}

}  // namespace phasor::cli
