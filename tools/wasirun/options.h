// What the commands' options are made of: CLI11 with errors and help as all commands have them.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tools/wasirun/command_line.h"
#include "tools/wasirun/parse.h"

namespace wasirun {

using Text = const std::string&;

// The options of one command, with what CLI11 does not keep of them: help, the manual, completions and the
// configuration file are all made from this.
class CommandApp : public CLI::App {
 public:
  explicit CommandApp(std::string_view command) : CLI::App("", std::string(command)) {}

  struct Facts {
    std::vector<std::string> choices = {};  // all values that there are; empty: any
    bool is_repeatable = false;
  };
  // Of an option without such facts: the empty ones.
  [[nodiscard]] const Facts& facts(const CLI::Option* option) const;
  Facts& facts(const CLI::Option* option) { return facts_[option]; }

  std::string usage = {};            // "wasirun run [options] MODULE"
  bool has_border = false;           // options end with the first word that is none
  bool reads_configuration = false;  // for options that the command line does not have (configuration.h)
  // Asked for with --help: prints it, unless somebody wants to see the command itself.
  std::function<Done(const CommandApp&)> on_help = {};

 private:
  std::map<const CLI::Option*, Facts> facts_;
};

// What a command does in a sentence, and its usage line.
void set_up(CommandApp& app, const char* what, const char* usage);
// Prints a text to stdout, for --help and the like.
Done print(const std::string& text);
// Hands `args` to CLI11; empty when they were fine.
std::optional<Done> parse(CommandApp& app, std::vector<std::string> args);

// How many leading arguments are options of `app` (their values included): what follows is not ours. An unknown
// option ends it too.
struct Border {
  std::size_t options = 0;  // arguments [0, options)
  std::size_t rest = 0;     // arguments [rest, end), behind the "--" where there is one
};
std::variant<Border, Done> find_border(const CommandApp& app, std::span<const char* const> args);

template <class T>
T or_throw(const char* option, Parsed<T> parsed) {
  if (!parsed) throw CLI::ValidationError(option, parsed.error());
  return *std::move(parsed);
}

template <class T>
struct Choice {
  std::string_view name;
  T value;
};

template <class T>
T choose(const char* option, const std::string& text, std::span<const Choice<T>> choices) {
  std::string known;
  for (const auto& choice : choices) {
    if (choice.name == text) return choice.value;
    known += (known.empty() ? "" : ", ") + std::string(choice.name);
  }
  throw CLI::ValidationError(option, fmt::format("\"{}\" is not one of {}", text, known));
}

template <class T, std::size_t N>
T choose(const char* option, const std::string& text, const Choice<T> (&choices)[N]) {
  return choose(option, text, std::span<const Choice<T>>(choices));
}

// An option whose value is read by `read`, which throws what is wrong with it.
template <class Read>
CLI::Option* add_read(CommandApp& app, const char* name, const char* type, const char* what, Read read) {
  return app.add_option_function<std::string>(name, std::move(read), what)->type_name(type);
}

// One that may be given several times.
template <class Read>
CLI::Option* add_repeatable(CommandApp& app, const char* name, const char* type, const char* what, Read read) {
  const auto read_all = [read](const std::vector<std::string>& values) {
    for (Text value : values) read(value);
  };
  CLI::Option* option = app.add_option_function<std::vector<std::string>>(name, read_all, what);
  app.facts(option).is_repeatable = true;
  return option->type_name(type)->allow_extra_args(false);
}

// Options whose values are these: `set` gets what a name stands for. The choices outlive the app.
template <class T, std::size_t N, class Set>
CLI::Option* add_choice(CommandApp& app, const char* name, const char* type, const char* what,
                        const Choice<T> (&choices)[N], Set set) {
  const auto read = [name, &choices, set](Text value) { set(choose(name, value, choices)); };
  CLI::Option* option = add_read(app, name, type, what, read);
  for (const auto& choice : choices) app.facts(option).choices.emplace_back(choice.name);
  return option;
}
template <class T, std::size_t N, class Set>
CLI::Option* add_repeatable_choice(CommandApp& app, const char* name, const char* type, const char* what,
                                   const Choice<T> (&choices)[N], Set set) {
  const auto read = [name, &choices, set](Text value) { set(choose(name, value, choices)); };
  CLI::Option* option = add_repeatable(app, name, type, what, read);
  for (const auto& choice : choices) app.facts(option).choices.emplace_back(choice.name);
  return option;
}

// A number in decimal digits, at most `most`.
template <class T>
CLI::Option* add_count(CommandApp& app, const char* name, const char* type, const char* what, T& target,
                       std::uint64_t most = std::numeric_limits<std::uint32_t>::max()) {
  return add_read(app, name, type, what, [name, most, &target](Text value) {
    target = static_cast<std::uint32_t>(or_throw(name, parse_count(value, most)));
  });
}

// The name of a file. An empty one would look as if the option had not been given.
CLI::Option* add_file(CommandApp& app, const char* names, const char* type, const char* what, std::string& target);

}  // namespace wasirun
