// The configuration file: options that a user wants for every program, so that no command line has to have them.
//
// It is $XDG_CONFIG_HOME/wasirun/config.toml, or another one that --config names, and has a table for each command in
// which the long names of options are keys:
//
//     [run]
//     max-memory = "256m"
//     dir = ["data::/data:ro"]
//     inherit-env = true
//
// What the command line says takes the place of what the file says for the same option.
#pragma once

#include <wasi/error.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wasirun {

class CommandApp;

// The usual file, where there is one.
std::optional<std::string> usual_configuration();

// --config and --no-config, of a command whose options may stand in the file.
void add_configuration_options(CommandApp& app);

struct ConfiguredWord {
  std::string word;    // "--max-memory=256m"
  std::string option;  // "--max-memory"
  std::string place;   // "config.toml:2:14"
};

// What the file has for options of `app` that `args`, its command line, does not have. Errors: a file that cannot be
// read, that is no TOML, or names what is no option.
wasi::Result<std::vector<ConfiguredWord>> configured_words(const CommandApp& app, std::span<const std::string> args);

}  // namespace wasirun
