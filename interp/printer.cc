#include "interp/printer.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>

#include "interp/dispatch.h"
#include "interp/isa.h"

namespace wasi::interp {

namespace {

template <class T>
T read(std::span<const std::uint8_t> code, std::size_t at) {
  T value;
  std::memcpy(&value, code.data() + at, sizeof value);
  return value;
}

// How many instructions `code` runs, and the first of them.
std::size_t part_count(Code& code) {
  std::size_t count = 1;
  for (; is_fused(code); ++count) code = fusion_of(code).first;
  return count;
}

}  // namespace

std::string print_code(std::span<const std::uint8_t> code) {
  std::string text;
  const auto out = std::back_inserter(text);
  std::size_t parts_left = 0;
  for (std::size_t at = 0; at + kHeadSize <= code.size();) {
    Code instruction = code_at_offset(read<std::int32_t>(code, at));
    const std::size_t parts = part_count(instruction);
    const bool is_part = parts_left > 1;
    parts_left = is_part ? parts_left - 1 : parts;
    const CodeInfo& row = info(instruction);
    fmt::format_to(out, "{}:{} {}", at, is_part ? " +" : "", row.name);
    const auto target = [&](std::size_t place) {
      fmt::format_to(out, " ->{}", static_cast<std::int64_t>(place) + read<std::int32_t>(code, place));
    };
    at += kHeadSize;
    for (const char letter : row.layout) {
      switch (letter) {
        case 'd':
        case 's':
          fmt::format_to(out, " s{}", read<std::uint16_t>(code, at));
          break;
        case 'c':
        case 'l':
        case 'n':
          fmt::format_to(out, " {}", read<std::uint16_t>(code, at));
          break;
        case 'i':
          fmt::format_to(out, " {}", read<std::int32_t>(code, at));
          break;
        case 'V':
          fmt::format_to(out, " 0x{:016x}{:016x}", read<std::uint64_t>(code, at + 8), read<std::uint64_t>(code, at));
          break;
        case 'I':
          fmt::format_to(out, " {:#x}", read<std::uint64_t>(code, at));
          break;
        case 'o':
          fmt::format_to(out, " +{}", read<std::uint32_t>(code, at));
          break;
        case 'O':
          fmt::format_to(out, " +{}", read<std::uint64_t>(code, at));
          break;
        case 'x':
          fmt::format_to(out, " #{}", read<std::uint32_t>(code, at));
          break;
        case 'b':
          target(at);
          break;
        case 't': {
          const auto count = read<std::uint32_t>(code, at);
          for (std::uint32_t i = 0; i < count; ++i, at += 4) target(at + 4);
          break;
        }
        default:
          break;
      }
      at += operand_size(letter);
    }
    text += '\n';
  }
  return text;
}

}  // namespace wasi::interp
