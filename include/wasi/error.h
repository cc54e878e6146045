// What went wrong when no guest code was running: one value, returned in std::expected.
//
// A leaf header: every folder may include it. Traps, which guest code raises, are in trap.h.
#pragma once

#include <wasi/detail/export.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wasi {

// Which promise was broken. The spec's own words where it has one.
enum class ErrorKind : std::uint8_t {
  malformed,    // the bytes or the text are not a module (spec: malformed)
  invalid,      // well-formed, but does not validate (spec: invalid)
  unsupported,  // correct, but this version does not run it yet
  unlinkable,   // an import is missing or has another type (spec: unlinkable)
  io,           // the host refused: a file, a directory, an address range
  limit,        // a limit of the engine or of the store was reached
  argument,     // the caller passed something that cannot be meant
};

// The kind's name as it stands in messages, e.g. "malformed".
WASI_API std::string_view name_of(ErrorKind kind);

// Where a text is wrong.
struct TextPosition {
  std::uint64_t line = 0;    // from 1
  std::uint64_t column = 0;  // from 1, in characters
  std::string excerpt = {};  // the line, and below it carets under what is wrong
};

// An error with its message and, where bytes or a text were at fault, the place of the first wrong one.
// A plain value: copy it, keep it, use it from any thread.
struct Error {
  ErrorKind kind = ErrorKind::argument;
  std::string message = {};                  // what, and what was expected; no trailing period
  std::optional<std::uint64_t> offset = {};  // byte offset in the module, where there is one
  std::optional<TextPosition> text = {};     // place in the text, where the module is one

  // For people: "malformed module at offset 0x1f: ...", or "malformed module at line 3, column 7: ..." with the
  // text's line below it.
  [[nodiscard]] WASI_API std::string to_string() const;
};

template <class T>
using Result = std::expected<T, Error>;

}  // namespace wasi
