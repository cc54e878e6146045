// See options.h.
#include "tools/wasirun/options.h"

#include <algorithm>
#include <cstdio>
#include <memory>

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

Done unknown_option(const CLI::App& app, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) known.push_back("--" + option->get_single_name());
  const std::string nearest = nearest_word(name, known);
  return {usage_error("unknown option {}{}; 'wasirun {} --help' lists the options", name,
                      nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest), app.get_name())};
}

}  // namespace

void set_up(CLI::App& app, const char* usage) {
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.formatter(std::make_shared<HelpFormatter>(std::string("usage: ") + usage + "\n"));
  app.get_formatter()->label("OPTIONS", "Options");
}

Done print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return {finish_stdout(kSuccess)};
}

std::optional<Done> parse(CLI::App& app, std::vector<std::string> args) {
  std::ranges::reverse(args);  // CLI11 takes them from the back
  try {
    app.parse(std::move(args));
  } catch (const CLI::CallForHelp&) {
    return print(app.help());
  } catch (const CLI::ParseError& error) {
    return Done{usage_error("{}; see 'wasirun {} --help'", error.what(), app.get_name())};
  }
  return std::nullopt;
}

std::variant<Border, Done> find_border(const CLI::App& app, std::span<const char* const> args) {
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
// The name of a file. An empty one would look as if the option had not been given.
CLI::Option* add_file(CLI::App& app, const char* names, const char* type, const char* what, std::string& target) {
  return add_read(app, names, type, what, [names, &target](Text value) {
    if (value.empty()) throw CLI::ValidationError(names, "\"\" is not the name of a file");
    target = value;
  });
}

}  // namespace wasirun
