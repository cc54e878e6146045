// wasirun man: the manual, a page for each command, of what their help says.
#include <wasi/engine.h>

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "tools/wasirun/command_table.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/output_file.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

struct Entry {
  std::string_view name;
  std::string_view what;
};
constexpr Entry kEnvironment[] = {
    {"XDG_CACHE_HOME", "the directory below which machine code is kept from one run to the next, instead of ~/.cache"},
    {"XDG_CONFIG_HOME", "the directory below which the configuration file is looked for, instead of ~/.config"},
    {"WASIRUN_LLVM_PLUGIN", "the file of the optimising compiler, instead of the one that is installed"},
    {"NO_COLOR", "no colours, whatever it is set to"},
};
constexpr Entry kFiles[] = {
    {"~/.config/wasirun/config.toml",
     "options for what no command line says, in a table for each command that has them"},
    {"~/.cache/wasirun", "machine code of programs that have run"},
};

// Text as roff has it, what stands in backquotes bold.
std::string roff(std::string_view text) {
  std::string result;
  bool is_bold = false;
  for (const char c : text) {
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':
        result += "\\-";
        break;
      case '~':
        result += "\\(ti";
        break;
      case '^':
        result += "\\(ha";
        break;
      case '\n':
        result += ' ';
        break;
      case '`':
        result += is_bold ? "\\fR" : "\\fB";
        is_bold = !is_bold;
        break;
      default:
        result += c;
    }
  }
  // At the beginning of a line these would introduce a request.
  if (result.starts_with('.') || result.starts_with('\'')) result.insert(0, "\\&");
  return result;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::string heading(std::string_view page) {
  return fmt::format(".TH {} 1 \"" WASIRUN_RELEASE_DATE "\" \"wasirun {}\" \"User Commands\"\n", roff(upper(page)),
                     wasi::version());
}

// A paragraph with a term that stands out.
std::string entry(std::string_view term, std::string_view text) { return fmt::format(".TP\n{}\n{}\n", term, text); }

std::string page_name(std::string_view command) { return fmt::format("wasirun-{}", command); }

std::string reference(std::string_view page) { return fmt::format("{}(1)", bold(page)); }

std::string option_entry(const OptionDescription& option) {
  std::string term;
  for (const std::string& name : option.names) term += (term.empty() ? "" : ", ") + bold(name);
  if (!option.type.empty()) term += " \\fI" + roff(option.type) + "\\fR";
  return entry(term, roff(option.what) + (option.what.ends_with('.') ? "" : "."));
}

std::string page_of(const CommandInfo& info) {
  const CommandDescription command = describe(info);
  std::string text = heading(page_name(info.name));
  text += fmt::format(".SH NAME\n{} \\- {}\n", roff(page_name(info.name)), roff(info.what));
  text += fmt::format(".SH SYNOPSIS\n{}\n", roff(command.usage));
  text += fmt::format(".SH DESCRIPTION\n{}\n", roff(command.what));
  if (!command.notes.empty()) text += fmt::format(".PP\n{}\n", roff(command.notes));
  const auto add = [&](std::string_view title, bool are_arguments) {
    std::string entries;
    for (const OptionDescription& option : command.options) {
      if (option.is_argument == are_arguments) entries += option_entry(option);
    }
    if (!entries.empty()) text += fmt::format(".SH {}\n{}", title, entries);
  };
  add("ARGUMENTS", true);
  add("OPTIONS", false);
  return text + fmt::format(".SH SEE ALSO\n{}\n", reference("wasirun"));
}

std::string overview_page() {
  std::string text = heading("wasirun");
  text += ".SH NAME\nwasirun \\- run WebAssembly programs in a sandbox\n.SH SYNOPSIS\n";
  const auto table = command_table();
  for (const CommandInfo& info : table) {
    const bool is_first = info.name == table.front().name;
    text += fmt::format("{}{} {}\n", is_first ? "" : ".br\n", bold("wasirun"), roff(info.usage));
  }
  text +=
      ".SH DESCRIPTION\nRuns WebAssembly programs (WASI preview 1) in a sandbox that reaches only what it is given. "
      "The "
      "first word is a command; without one, it is a module to run.\n.SH COMMANDS\n";
  for (const CommandInfo& info : table) text += entry(reference(page_name(info.name)), roff(info.what));
  text += ".SH EXIT STATUS\nOf a program that ends by itself, its own. Else:\n";
  for (const ExitCode& code : kExitCodes) text += entry(bold(fmt::format("{}", code.code)), roff(code.what));
  text += ".SH ENVIRONMENT\n";
  for (const Entry& variable : kEnvironment) text += entry(bold(variable.name), roff(variable.what));
  text += ".SH FILES\n";
  for (const Entry& file : kFiles) text += entry("\\fI" + roff(file.name) + "\\fR", roff(file.what));
  text += ".SH SEE ALSO\n";
  for (std::size_t i = 0; i < table.size(); ++i) {
    text += fmt::format("{}{}\n", reference(page_name(table[i].name)), i + 1 == table.size() ? "" : ",");
  }
  return text;
}

// False, with an error printed, where it cannot be written.
bool write_page(const std::string& directory, std::string_view name, const std::string& text) {
  auto output = OutputFile::open(fmt::format("{}/{}.1", directory, name));
  if (output) {
    (void)output->write(text);
    if (const auto finished = output->finish(); !finished) output = std::unexpected(finished.error());
  }
  if (!output) print_error(output.error().message);
  return output.has_value();
}

}  // namespace

int man(const ManCommand& command) {
  if (!write_page(command.directory, "wasirun", overview_page())) return kFailure;
  for (const CommandInfo& info : command_table()) {
    if (!write_page(command.directory, page_name(info.name), page_of(info))) return kFailure;
  }
  return kSuccess;
}

}  // namespace wasirun
