#include "tools/shim/guest_messages.h"

#include <unistd.h>

#include <string>

namespace wasirun::shim {

void write_error(std::string_view line) {
  std::string text(line);
  text += '\n';
  for (std::string_view rest = text; !rest.empty();) {
    const auto count = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (count < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

int fail_program(std::string_view message) {
  write_error("wasirun: " + std::string(message));
  return kFailureExitCode;
}

}  // namespace wasirun::shim
