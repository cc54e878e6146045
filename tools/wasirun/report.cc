// Errors, exit codes and colours.
#include "tools/wasirun/report.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/printable.h"

namespace wasirun {

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(descriptor) == 1;
}

void print_error(std::string_view message) { print_labelled("error", wasi::printable(message)); }

void print_labelled(std::string_view label, std::string_view text) {
  const bool colour = wants_colour(STDERR_FILENO);
  const std::string line = fmt::format("wasirun: {}{}:{} {}\n", colour ? "\033[1;31m" : "", label,
                                       colour ? "\033[0m" : "", wasi::printable(text, "\n\t"));
  // In one write, so that lines of several processes do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

namespace {
int stdout_failure = 0;  // errno of the first write that failed
}  // namespace

bool write_stdout(std::string_view text) {
  if (stdout_failure != 0) return false;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return true;
  stdout_failure = errno != 0 ? errno : EIO;
  return false;
}

int finish_stdout(int exit_code) {
  errno = 0;
  if (std::fflush(stdout) != 0 && stdout_failure == 0) stdout_failure = errno != 0 ? errno : EIO;
  if (stdout_failure == 0 && std::ferror(stdout) == 0) return exit_code;
  if (stdout_failure != EPIPE) {
    print_error(fmt::format("cannot write to standard output: {}",
                            stdout_failure == 0 ? "write error" : std::strerror(stdout_failure)));
  }
  return kFailure;
}

}  // namespace wasirun
