// Every command, with its options: what help, the manual and completions are made of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/wasirun/command_line.h"
#include "tools/wasirun/options.h"

namespace wasirun {

struct CommandInfo {
  std::string_view name;
  std::string_view usage;  // behind "wasirun"
  std::string_view what;   // for lists of commands
  Command (*parse)(CommandApp& app, std::span<const char* const> args);
  bool is_configurable;  // its options may stand in the configuration file
};

// In the order of the overview; `run` is the first.
std::span<const CommandInfo> command_table();

struct OptionDescription {
  std::vector<std::string> names;    // "-o", "--output"; of an argument: "FILE"
  std::string type;                  // of its value; empty: it takes none
  std::string what;                  // in sentences
  std::vector<std::string> choices;  // all values that there are; empty: any
  bool is_repeatable = false;
  bool is_argument = false;
};

struct CommandDescription {
  std::string name;
  std::string usage;  // "wasirun run [options] MODULE"
  std::string what;   // in a sentence, or several
  std::string notes;  // what help ends with
  std::vector<OptionDescription> options;
  bool has_border = false;  // options end with the first word that is none, and arguments are anything
};

CommandDescription describe(const CommandInfo& command);

}  // namespace wasirun
