// wasirun completion: what shells complete command lines with, of the same options as --help.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tools/wasirun/command_table.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

// What a value is, by the word that help has for it.
enum class Kind { file, directory, other };
Kind kind_of(const OptionDescription& option) {
  const std::string_view type = option.is_argument ? option.names.front() : option.type;
  if (type == "DIR" || type == "DIRECTORY" || type.starts_with("HOST[")) return Kind::directory;
  if (type == "FILE" || type == "OUTPUT" || type == "MODULE") return Kind::file;
  return Kind::other;
}

// The first clause: completions have a line for it. "With --tier auto: ..." goes on with what it is about.
std::string brief(const OptionDescription& option) {
  const std::string& what = option.what;
  std::size_t begin = 0;
  if (what.starts_with("With ") && what.contains(": ")) begin = what.find(": ") + 2;
  std::size_t end = what.size();
  for (const std::string_view stop : {", e.g. ", ". ", "; ", " (", ": "}) end = std::min(end, what.find(stop, begin));
  return what.substr(begin, end - begin);
}

// As a word of sh and zsh.
std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::vector<CommandDescription> describe_all() {
  std::vector<CommandDescription> commands;
  for (const CommandInfo& info : command_table()) commands.push_back(describe(info));
  return commands;
}

std::string command_names(std::string_view separator) {
  std::vector<std::string_view> names;
  for (const CommandInfo& info : command_table()) names.push_back(info.name);
  return fmt::format("{}", fmt::join(names, separator));
}

// One arm of the `case` over commands: what options there are, which of them take a value, and of what kind.
std::string bash_arm(const CommandDescription& command) {
  std::vector<std::string> names;
  std::vector<std::string> valued;
  std::string arms;
  std::string arguments;
  for (const OptionDescription& option : command.options) {
    if (option.is_argument) {
      if (!option.choices.empty()) arguments = fmt::format("{}", fmt::join(option.choices, " "));
      continue;
    }
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (option.type.empty()) continue;
    valued.insert(valued.end(), option.names.begin(), option.names.end());
    const std::string pattern = fmt::format("{}", fmt::join(option.names, "|"));
    if (!option.choices.empty()) {
      arms += fmt::format("        {}) values=\"{}\" ;;\n", pattern, fmt::join(option.choices, " "));
    } else {
      const Kind kind = kind_of(option);
      arms += fmt::format("        {}) kind={} ;;\n", pattern,
                          kind == Kind::file        ? "file"
                          : kind == Kind::directory ? "directory"
                                                    : "none");
    }
  }
  return fmt::format(
      "    {})\n      options=\"{}\"\n      valued=\" {} \"\n      arguments=\"{}\"\n      border={}\n      case "
      "$previous "
      "in\n{}      esac\n      ;;\n",
      command.name, fmt::join(names, " "), fmt::join(valued, " "), arguments, command.has_border ? 1 : 0, arms);
}

std::string bash() {
  std::string arms;
  for (const CommandDescription& command : describe_all()) arms += bash_arm(command);
  return fmt::format(R"BASH(# Completion of wasirun for bash; made by `wasirun completion bash`.
_wasirun() {{
  local commands="{}"
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local command=run first=1 options= valued= arguments= border=0 kind= values= i word
  # "--tier=x" is three words here.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  if [[ $COMP_CWORD -gt 1 && " $commands " == *" ${{COMP_WORDS[1]}} "* ]]; then
    command=${{COMP_WORDS[1]}}
    first=2
  fi
  case $command in
{}  esac
  COMPREPLY=()
  # Behind the module everything is the program's own.
  if [[ $border -eq 1 ]]; then
    for ((i = first; i < COMP_CWORD; i++)); do
      word=${{COMP_WORDS[i]}}
      if [[ $word == = ]]; then
        ((i++))
      elif [[ $word != -* || $word == -- ]]; then
        compopt -o default
        return
      elif [[ $valued == *" $word "* && ${{COMP_WORDS[i+1]}} != = ]]; then
        ((i++))
      fi
    done
  fi
  if [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ $kind == file ]]; then
    compopt -o default
  elif [[ $kind == directory ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -d -- "$current"))
  elif [[ $kind == none ]]; then
    return
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    if [[ $COMP_CWORD -eq 1 ]]; then arguments=$commands; fi
    COMPREPLY=($(compgen -W "$arguments" -- "$current"))
    # Names of files, too, where a module may stand.
    compopt -o default
    if [[ $COMP_CWORD -eq 1 ]]; then
      compopt -o filenames
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
    fi
  fi
}}
complete -F _wasirun wasirun
)BASH",
                     command_names(" "), arms);
}

// In the specifications of _arguments brackets and colons mean something.
std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_action(const OptionDescription& option) {
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  switch (kind_of(option)) {
    case Kind::file:
      return "_files";
    case Kind::directory:
      return "_directories";
    case Kind::other:
      break;
  }
  return " ";
}

std::string zsh_option(const OptionDescription& option) {
  std::string specs;
  for (const std::string& name : option.names) {
    std::string spec;
    if (option.is_repeatable) {
      spec = "*";
    } else if (option.names.size() > 1) {
      spec = fmt::format("({})", fmt::join(option.names, " "));
    }
    spec += name;
    if (!option.type.empty() && name.starts_with("--")) spec += "=";
    spec += fmt::format("[{}]", zsh_text(brief(option)));
    if (!option.type.empty()) spec += fmt::format(":{}:{}", zsh_text(option.type), zsh_action(option));
    specs += fmt::format(" \\\n        {}", in_quotes(spec));
  }
  return specs;
}

std::string zsh_arm(const CommandDescription& command) {
  // A first word that is no option ends the options of those that have arguments of somebody else's behind it.
  std::string specs;
  std::string arguments = command.has_border ? " \\\n        '1:module:_files' \\\n        '*::arguments:_files'" : "";
  for (const OptionDescription& option : command.options) {
    if (option.is_argument) {
      arguments +=
          fmt::format(" \\\n        {}",
                      in_quotes(fmt::format(
                          "*:{}:{}", zsh_text(option.names.front()),
                          option.choices.empty() && kind_of(option) == Kind::other ? "_files" : zsh_action(option))));
    } else {
      specs += zsh_option(option);
    }
  }
  return fmt::format("    {})\n      _arguments -s{}{}{}\n      ;;\n", command.name,
                     command.has_border ? " -A '-*'" : "", specs, arguments);
}

std::string zsh() {
  std::string commands;
  for (const CommandInfo& info : command_table()) {
    commands += fmt::format("    {}\n", in_quotes(fmt::format("{}:{}", info.name, info.what)));
  }
  std::string arms;
  for (const CommandDescription& command : describe_all()) arms += zsh_arm(command);
  return fmt::format(R"ZSH(#compdef wasirun
# Completion of wasirun for zsh; made by `wasirun completion zsh`.
_wasirun() {{
  local command=run
  local -a commands=(
{}  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe -t commands command commands
    _files
    return
  fi
  case $words[2] in
    {}) command=$words[2]; shift words; (( CURRENT-- )) ;;
  esac
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _wasirun ]]; then _wasirun "$@"; else compdef _wasirun wasirun; fi
)ZSH",
                     commands, command_names("|"), arms);
}

// As a word of fish in single quotes.
std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

std::string fish_line(const CommandDescription& command, const OptionDescription& option) {
  std::string line = fmt::format("complete -c wasirun -n '__wasirun_is {}'", command.name);
  if (option.is_argument) {
    if (option.choices.empty()) return "";
    return fmt::format("{} -f -a '{}'\n", line, fmt::join(option.choices, " "));
  }
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.choices.empty()) {
    line += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
  } else if (!option.type.empty()) {
    const Kind kind = kind_of(option);
    line += kind == Kind::file ? " -r -F" : kind == Kind::directory ? " -x -a '(__fish_complete_directories)'" : " -x";
  }
  return line + fmt::format(" -d {}\n", fish_quoted(brief(option)));
}

std::string fish() {
  std::string lines;
  for (const CommandInfo& info : command_table()) {
    lines +=
        fmt::format("complete -c wasirun -n __fish_use_subcommand -a {} -d {}\n", info.name, fish_quoted(info.what));
  }
  for (const CommandDescription& command : describe_all()) {
    for (const OptionDescription& option : command.options) lines += fish_line(command, option);
  }
  return fmt::format(R"FISH(# Completion of wasirun for fish; made by `wasirun completion fish`.
function __wasirun_is
    set -l words (commandline -opc)
    if contains -- "$words[2]" {}
        test "$words[2]" = $argv[1]
    else
        test $argv[1] = run
    end
end
{})FISH",
                     command_names(" "), lines);
}

}  // namespace

int completion(const CompletionCommand& command) {
  switch (command.shell) {
    case CompletionCommand::Shell::bash:
      write_stdout(bash());
      break;
    case CompletionCommand::Shell::zsh:
      write_stdout(zsh());
      break;
    case CompletionCommand::Shell::fish:
      write_stdout(fish());
      break;
  }
  return kSuccess;
}

}  // namespace wasirun
