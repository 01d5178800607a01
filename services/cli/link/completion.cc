#include "services/cli/link/completion.h"

#include <memory>
#include <ostream>
#include <vector>

namespace phasor::cli {
namespace {

using Flag = flags::Command::FlagName;

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

std::string Commands(const flags::Command& line) {
  std::string words;
  for (const auto& command : line.commands()) {
    if (!words.empty()) words += ' ';
    words += command->name();
  }
  return words;
}

// zsh runs the same function through its emulation of bash's completion.
std::string Bash(const flags::Command& line) {
  std::string script =
      "_phasor() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words depth=1\n"
      "  case \"${COMP_WORDS[1]}\" in\n";
  for (const auto& command : line.commands()) {
    const std::string below = Commands(*command);
    script += "    " + command->name() + ") " + (below.empty() ? "" : "depth=2 ") + "words=" +
              Quoted((below.empty() ? "" : below + " ") + Words(command->flags()) + " " +
                     Words(line.flags())) +
              " ;;\n";
  }
  script += "    *) words=" + Quoted(Commands(line) + " " + Words(line.flags())) +
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

std::string Fish(const flags::Command& line) {
  std::string script;
  for (const auto& command : line.commands()) {
    script += "complete -c phasor -n __fish_use_subcommand -f -a " + command->name() + " -d " +
              Quoted(command->what()) + "\n";
    for (const auto& below : command->commands()) {
      script += "complete -c phasor -n '__fish_seen_subcommand_from " + command->name() +
                "' -f -a " + below->name() + " -d " + Quoted(below->what()) + "\n";
    }
    for (const Flag& flag : command->flags()) {
      script += "complete -c phasor -n '__fish_seen_subcommand_from " + command->name() + "' -l " +
                flag.name + " -d " + Quoted(flag.what) + "\n";
    }
  }
  for (const Flag& flag : line.flags()) {
    script += "complete -c phasor -l " + flag.name + " -d " + Quoted(flag.what) + "\n";
  }
  return script;
}

}  // namespace

std::string CompletionScript(const flags::Command& line, const std::string& shell) {
  if (shell == "fish") return Fish(line);
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + Bash(line);
  return Bash(line);
}

void AddCompletion(flags::Command& line, std::ostream& out) {
  auto shell = std::make_shared<std::string>();
  flags::Command& command = line.AddCommand("completion", "print a shell's completion script");
  command.OneOf("shell", {"bash", "zsh", "fish"}, shell.get(), "bash, zsh or fish").Required();
  command.Runs([&line, &out, shell] { out << CompletionScript(line, *shell); });
}

}  // namespace phasor::cli
