// See configuration.h.
#include "tools/wasirun/configuration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/printable.h"
#include "base/result.h"
#include "os/file_content.h"
#include "tools/serve/toml_fields.h"
#include "tools/wasirun/command_table.h"
#include "tools/wasirun/nearest.h"
#include "tools/wasirun/options.h"

namespace wasirun {

namespace {

constexpr const char* kConfigOption = "--config";
constexpr const char* kNoConfigOption = "--no-config";

// The options that a command line has, and what --config is given there.
struct Given {
  std::set<const CLI::Option*> options;
  std::optional<std::string> file;
};

Given find_given(const CommandApp& app, std::span<const std::string> args) {
  Given given;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (!arg.starts_with('-') || arg == "-") continue;
    const std::size_t equals = arg.find('=');
    const CLI::Option* option = app.get_option_no_throw(arg.substr(0, equals));
    const bool is_alone = option != nullptr && equals == std::string::npos;
    // "-j4"
    if (option == nullptr && !arg.starts_with("--")) option = app.get_option_no_throw(arg.substr(0, 2));
    if (option == nullptr) continue;
    given.options.insert(option);
    const bool takes_next = is_alone && option->get_items_expected_max() > 0;
    if (option == app.get_option_no_throw(kConfigOption)) {
      given.file = !is_alone ? arg.substr(equals + 1) : i + 1 < args.size() ? args[i + 1] : "";
    }
    if (takes_next) ++i;
  }
  return given;
}

bool is_given(const Given& given, const CLI::Option& option) {
  const auto is_in_line = [&](const CLI::Option* other) { return given.options.contains(other); };
  return is_in_line(&option) || std::ranges::any_of(option.get_excludes(), is_in_line);
}

// One table of the file: the options of one command.
class Table {
 public:
  Table(const CommandApp& app, const Given& given, const serve::TomlFields& fields, const std::string& file)
      : app_(app), given_(given), fields_(fields), file_(file) {}

  std::vector<ConfiguredWord> words(const toml::table& table) {
    for (const auto& [key, value] : table) read(std::string(key.str()), value);
    return std::move(words_);
  }

 private:
  void read(const std::string& key, const toml::node& node) {
    const CLI::Option* option = find(key);
    if (option == nullptr) return fail_unknown(key, node);
    if (is_given(given_, *option)) return;
    const std::string name = "--" + key;
    if (option->get_items_expected_max() == 0) {
      const auto* flag = node.as_boolean();
      if (flag == nullptr) return fields_.fail_type(node, key, "true or false");
      if (flag->get()) add(name, name, node);
      return;
    }
    if (const auto* array = node.as_array(); array != nullptr && app_.facts(option).is_repeatable) {
      for (const toml::node& element : *array) read_value(key, name, element, "a string or an integer");
      return;
    }
    read_value(
        key, name, node,
        app_.facts(option).is_repeatable ? "a string, an integer or an array of them" : "a string or an integer");
  }

  void read_value(const std::string& key, const std::string& name, const toml::node& node, const char* expected) {
    if (const auto* text = node.as_string()) return add(name, fmt::format("{}={}", name, text->get()), node);
    if (const auto* number = node.as_integer()) return add(name, fmt::format("{}={}", name, number->get()), node);
    fields_.fail_type(node, key, expected);
  }

  void add(const std::string& name, std::string word, const toml::node& node) {
    words_.push_back(
        {std::move(word), name,
         fmt::format("{}:{}:{}", wasi::printable(file_), node.source().begin.line, node.source().begin.column)});
  }

  // By its long name alone. The file does not say where it is, nor asks for help.
  const CLI::Option* find(const std::string& key) const {
    for (const CLI::Option* option : options()) {
      if (std::ranges::count(option->get_lnames(), key) != 0) return option;
    }
    return nullptr;
  }
  std::vector<const CLI::Option*> options() const {
    std::vector<const CLI::Option*> options = app_.get_options();
    std::erase_if(options, [&](const CLI::Option* option) {
      return option == app_.get_help_ptr() || option == app_.get_option_no_throw(kConfigOption) ||
             option == app_.get_option_no_throw(kNoConfigOption);
    });
    return options;
  }
  void fail_unknown(const std::string& key, const toml::node& node) {
    std::vector<std::string> known;
    for (const CLI::Option* option : options()) {
      known.insert(known.end(), option->get_lnames().begin(), option->get_lnames().end());
    }
    const std::string nearest = nearest_word(key, known);
    fields_.fail(node,
                 fmt::format("{} is no option of {}{}; 'wasirun {} --help' lists them, keys are their long names "
                             "without dashes",
                             key, app_.get_name(), nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest),
                             app_.get_name()));
  }

  const CommandApp& app_;
  const Given& given_;
  const serve::TomlFields& fields_;
  const std::string& file_;
  std::vector<ConfiguredWord> words_;
};

}  // namespace

std::optional<std::string> usual_configuration() {
  std::string file;
  // With set-user-ID they are somebody else's.
  if (const char* folder = ::secure_getenv("XDG_CONFIG_HOME"); folder != nullptr && *folder == '/') {
    file = folder;
  } else if (const char* home = ::secure_getenv("HOME"); home != nullptr && *home == '/') {
    file = std::string(home) + "/.config";
  } else {
    return std::nullopt;
  }
  file += "/wasirun/config.toml";
  if (::access(file.c_str(), F_OK) != 0) return std::nullopt;
  return file;
}

void add_configuration_options(CommandApp& app) {
  constexpr const char* kGroup = "Configuration";
  app.reads_configuration = true;
  // Looked for before the others are read (find_given).
  CLI::Option* file = add_read(app, kConfigOption, "FILE",
                               "Options that this file has in its table of the command's name, for what the command "
                               "line does not say (default: wasirun/config.toml in $XDG_CONFIG_HOME or ~/.config)",
                               [](Text value) {
                                 if (value.empty()) {
                                   throw CLI::ValidationError(kConfigOption, "\"\" is not the name of a file");
                                 }
                               });
  file->group(kGroup);
  app.add_flag_callback(kNoConfigOption, [] {}, "Read no such file")->excludes(file)->group(kGroup);
}

wasi::Result<std::vector<ConfiguredWord>> configured_words(const CommandApp& app, std::span<const std::string> args) {
  std::vector<ConfiguredWord> words;
  const Given given = find_given(app, args);
  // Help is there in any case.
  if (given.options.contains(app.get_help_ptr())) return words;
  if (given.options.contains(app.get_option_no_throw(kNoConfigOption))) return words;
  const auto file = given.file ? given.file : usual_configuration();
  if (!file || file->empty()) return words;
  const auto content = WASI_TRY(wasi::os::FileContent::open(*file));
  const auto bytes = content->bytes();
  serve::TomlProblem problem(*file);
  const auto root = serve::parse_toml({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, problem);
  if (root) {
    std::vector<std::string> tables;
    for (const CommandInfo& command : command_table()) {
      if (command.is_configurable) tables.emplace_back(command.name);
    }
    const serve::TomlFields whole(*root, "", problem);
    for (const auto& [key, value] : *root) {
      const std::string name(key.str());
      const toml::table* table = value.as_table();
      if (std::ranges::count(tables, name) == 0) {
        whole.fail(value,
                   fmt::format("{} is none of the tables that there are: [{}]", name, fmt::join(tables, "], [")));
      } else if (table == nullptr) {
        whole.fail_type(value, name, "a table");
      } else if (name == app.get_name()) {
        words = Table(app, given, serve::TomlFields(*table, fmt::format("[{}]", name), problem), *file).words(*table);
      }
    }
  }
  if (problem.first()) return std::unexpected(*problem.first());
  return words;
}

}  // namespace wasirun
