// See options.h.
#include "tools/wasirun/options.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <ranges>

#include "tools/wasirun/configuration.h"
#include "tools/wasirun/nearest.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

// CLI11's help with a usage line of our own.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(34); }
  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override { return usage_; }

 private:
  std::string usage_;
};

Done unknown_option(const CommandApp& app, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) known.push_back("--" + option->get_single_name());
  const std::string nearest = nearest_word(name, known);
  return {usage_error("unknown option {}{}; 'wasirun {} --help' lists the options", name,
                      nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest), app.get_name())};
}

}  // namespace

const CommandApp::Facts& CommandApp::facts(const CLI::Option* option) const {
  static const Facts kNone;
  const auto found = facts_.find(option);
  return found == facts_.end() ? kNone : found->second;
}

void set_up(CommandApp& app, const char* what, const char* usage) {
  app.description(what);
  app.usage = usage;
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.formatter(std::make_shared<HelpFormatter>(std::string("usage: ") + usage + "\n"));
  app.get_formatter()->label("OPTIONS", "Options");
}

Done print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return {finish_stdout(kSuccess)};
}

std::optional<Done> parse(CommandApp& app, std::vector<std::string> args) {
  std::vector<ConfiguredWord> configured;
  if (app.reads_configuration) {
    auto words = configured_words(app, args);
    if (!words) return Done{failure("{}", words.error().message)};
    configured = *std::move(words);
    // Before the command line's own, the last of which may want to be the last.
    const auto word_of = [](const ConfiguredWord& word) { return word.word; };
    std::ranges::copy(configured | std::views::transform(word_of), std::inserter(args, args.begin()));
  }
  std::ranges::reverse(args);  // CLI11 takes them from the back
  try {
    app.parse(std::move(args));
  } catch (const CLI::CallForHelp&) {
    return app.on_help ? app.on_help(app) : print(app.help());
  } catch (const CLI::ParseError& error) {
    const std::string message = error.what();
    // Options that the command line has are not taken from the file, so this is where the value stands.
    for (const ConfiguredWord& word : configured) {
      if (message.starts_with(word.option + ":")) return Done{failure("{}: {}", word.place, message)};
    }
    return Done{usage_error("{}; see 'wasirun {} --help'", message, app.get_name())};
  }
  return std::nullopt;
}

std::variant<Border, Done> find_border(const CommandApp& app, std::span<const char* const> args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string arg = args[i];
    if (arg == "--") return Border{i, i + 1};
    if (!arg.starts_with('-') || arg == "-") return Border{i, i};
    const std::size_t equals = arg.find('=');
    const std::string name = arg.substr(0, equals);
    const CLI::Option* option = app.get_option_no_throw(name);
    if (option == nullptr) return unknown_option(app, name);
    if (equals == std::string::npos && option->get_items_expected_max() > 0) ++i;
  }
  return Border{args.size(), args.size()};
}

CLI::Option* add_file(CommandApp& app, const char* names, const char* type, const char* what, std::string& target) {
  return add_read(app, names, type, what, [names, &target](Text value) {
    if (value.empty()) throw CLI::ValidationError(names, "\"\" is not the name of a file");
    target = value;
  });
}

}  // namespace wasirun
