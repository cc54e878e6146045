// Words of the command line as values. Each returns what it read, or a message that says what was expected.
#pragma once

#include <wasi/values.h>
#include <wasi/wasi_config.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace wasirun {

template <class T>
using Parsed = std::expected<T, std::string>;

// "64m", "1g", "65536": bytes, with k, m, g (or KiB, MiB, GiB) for powers of 1024.
Parsed<std::uint64_t> parse_size(std::string_view text);

// "128": decimal digits, at most `most`.
Parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t most);

// "5s", "250ms", "1.5s", "2m", "1h", "100us".
Parsed<std::chrono::nanoseconds> parse_duration(std::string_view text);

// HOST[::GUEST][:ro], HOST::GUEST:SIZE or mem::GUEST[:SIZE].
struct Directory {
  std::string host;  // empty: in memory
  std::string guest;
  wasi::Access access = wasi::Access::read_write;
  std::optional<std::uint64_t> limit = std::nullopt;  // bytes
};
Parsed<Directory> parse_directory(std::string_view text);

// A value of a function's parameter, in every spelling that Value::to_string has for it: integers decimal or
// hexadecimal, signed or unsigned; floats as strtod reads them, or "nan:0x" and a payload; v128 as "0x" and its digits;
// references as "null", or the number of an i31.
Parsed<wasi::Value> parse_value(std::string_view text, wasi::ValueType type);

}  // namespace wasirun
