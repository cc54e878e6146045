// Bodies of the public leaf headers wasi/error.h and wasi/trap.h.
#include <fmt/format.h>
#include <wasi/error.h>
#include <wasi/trap.h>

#include <iterator>

#include "base/printable.h"

namespace wasi {

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::malformed:
      return "malformed";
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::unlinkable:
      return "unlinkable";
    case ErrorKind::io:
      return "I/O error";
    case ErrorKind::limit:
      return "limit";
    case ErrorKind::argument:
      return "argument";
  }
  return "error";
}

std::string Error::to_string() const {
  const bool about_bytes = kind == ErrorKind::malformed || kind == ErrorKind::invalid;
  std::string where = about_bytes ? fmt::format("{} module", name_of(kind)) : std::string();
  const char* space = where.empty() ? "" : " ";
  if (text) {
    where += fmt::format("{}at line {}, column {}", space, text->line, text->column);
  } else if (offset) {
    where += fmt::format("{}at offset {:#x}", space, *offset);
  }
  std::string whole = printable(message);
  if (!where.empty()) whole = where + ": " + whole;
  if (text && !text->excerpt.empty()) whole += "\n" + printable(text->excerpt, "\n\t");
  return whole;
}

std::string_view message_of(TrapCode code) {
  switch (code) {
#define WASI_TRAP(name, message) \
  case TrapCode::name:           \
    return message;
#include <wasi/traps.def>
#undef WASI_TRAP
  }
  return "unknown trap";
}

Trap Trap::host_error(std::string_view what, std::any payload) {
  return {.code = TrapCode::host_error,
          .message = fmt::format("{}: {}", message_of(TrapCode::host_error), what),
          .payload = std::move(payload)};
}

std::string Trap::to_string() const {
  if (is_exit()) return fmt::format("exit with status {}", exit_status);
  std::string text = fmt::format("trap: {}", printable(message.empty() ? message_of(code) : message));
  std::size_t number = 0;
  for (const StackFrame& frame : backtrace) {
    if (omitted_frames != 0 && number == backtrace.size() / 2) {
      fmt::format_to(std::back_inserter(text), "\n      ... {} frames left out ...", omitted_frames);
    }
    fmt::format_to(
        std::back_inserter(text), "\n  {:>3}: {}{}{}", number++, printable(frame.module),
        frame.module.empty() ? "" : "!",
        frame.function.empty() ? fmt::format("<function {}>", frame.function_index) : printable(frame.function));
    if (frame.offset) fmt::format_to(std::back_inserter(text), " @ {:#x}", *frame.offset);
  }
  return text;
}

}  // namespace wasi
