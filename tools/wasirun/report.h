// What the tool says and how it ends: one line per error on stderr, exit codes, colours where they are wanted.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace wasirun {

// Exit codes of the tool itself; a guest that ends by itself has its own. docs/cli.md lists them.
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;  // a file, a module, an import or a directory is at fault
inline constexpr int kUsage = 2;    // the command line is at fault
inline constexpr int kTrap = 134;   // as a shell reports a process that was aborted

struct ExitCode {
  int code;
  std::string_view what;
};
inline constexpr ExitCode kExitCodes[] = {
    {kSuccess, "all went well; of run: _start returned"},
    {kFailure, "a file, a module, an import, a directory or an address is at fault; a line on stderr says which"},
    {kUsage, "the command line is at fault: an option, or a value that can never be right"},
    {kTrap, "a trap: message and backtrace are on stderr"},
};

// "wasirun: error: <message>" on one line, with colour on a terminal. Whatever names are in the message, of files or of
// a guest's choice, are shown printable (base/printable.h).
void print_error(std::string_view message);
// The same with another word in front, "wasirun: <label>: <text>", and a text that may have several lines: that of an
// Error or a Trap, which has its names printable.
void print_labelled(std::string_view label, std::string_view text);

template <class... Args>
int failure(fmt::format_string<Args...> format, Args&&... args) {
  print_error(fmt::format(format, std::forward<Args>(args)...));
  return kFailure;
}
template <class... Args>
int usage_error(fmt::format_string<Args...> format, Args&&... args) {
  print_error(fmt::format(format, std::forward<Args>(args)...));
  return kUsage;
}

// True when `descriptor` is a terminal on which the user wants colours (NO_COLOR, TERM=dumb).
bool wants_colour(int descriptor);

// All that commands write to stdout goes through these: what fails is remembered for finish_stdout(), not thrown.
// False: it failed, or did before; so an empty text asks.
bool write_stdout(std::string_view text);
template <class... Args>
bool print_stdout(fmt::format_string<Args...> format, Args&&... args) {
  return write_stdout(fmt::format(format, std::forward<Args>(args)...));
}

// Writes what stdout still buffers. A failure of that or of an earlier write is reported and becomes kFailure, unless
// the reader just went away, which it may; else `exit_code`.
int finish_stdout(int exit_code);

}  // namespace wasirun
