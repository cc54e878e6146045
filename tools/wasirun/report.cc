// Errors, exit codes and colours.
#include "tools/wasirun/report.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace wasirun {

bool wants_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(descriptor) == 1;
}

void print_error(std::string_view message) { print_labelled("error", message); }

void print_labelled(std::string_view label, std::string_view text) {
  const bool colour = wants_colour(STDERR_FILENO);
  const std::string line =
      fmt::format("wasirun: {}{}:{} {}\n", colour ? "\033[1;31m" : "", label, colour ? "\033[0m" : "", text);
  // In one write, so that lines of several processes do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int finish_stdout(int exit_code) {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && !failed_before) return exit_code;
  if (errno != EPIPE) {
    print_error(fmt::format("cannot write to standard output: {}", errno == 0 ? "write error" : std::strerror(errno)));
  }
  return kFailure;
}

}  // namespace wasirun
