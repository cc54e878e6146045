// What the commands' options are made of: CLI11 with errors and help as all commands have them.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
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

// Help, with a usage line.
void set_up(CLI::App& app, const char* usage);
// Prints a text to stdout, for --help and the like.
Done print(const std::string& text);
// Hands `args` to CLI11; empty when they were fine.
std::optional<Done> parse(CLI::App& app, std::vector<std::string> args);

// How many leading arguments are options of `app` (their values included): what follows is not ours. An unknown
// option ends it too.
struct Border {
  std::size_t options = 0;  // arguments [0, options)
  std::size_t rest = 0;     // arguments [rest, end), behind the "--" where there is one
};
std::variant<Border, Done> find_border(const CLI::App& app, std::span<const char* const> args);

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
CLI::Option* add_read(CLI::App& app, const char* name, const char* type, const char* what, Read read) {
  return app.add_option_function<std::string>(name, std::move(read), what)->type_name(type);
}

// One that may be given several times.
template <class Read>
CLI::Option* add_repeatable(CLI::App& app, const char* name, const char* type, const char* what, Read read) {
  const auto read_all = [read](const std::vector<std::string>& values) {
    for (Text value : values) read(value);
  };
  return app.add_option_function<std::vector<std::string>>(name, read_all, what)
      ->type_name(type)
      ->allow_extra_args(false);
}

// A number in decimal digits, at most `most`.
template <class T>
CLI::Option* add_count(CLI::App& app, const char* name, const char* type, const char* what, T& target,
                       std::uint64_t most = std::numeric_limits<std::uint32_t>::max()) {
  return add_read(app, name, type, what, [name, most, &target](Text value) {
    target = static_cast<std::uint32_t>(or_throw(name, parse_count(value, most)));
  });
}

// The name of a file. An empty one would look as if the option had not been given.
CLI::Option* add_file(CLI::App& app, const char* names, const char* type, const char* what, std::string& target);

}  // namespace wasirun
