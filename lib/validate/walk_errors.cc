#include "validate/walk_errors.h"

#include <fmt/format.h>

#include "wasm/types.h"

namespace wasi::validate {

namespace {

// Long lists do not make a message clearer.
constexpr std::size_t kMostTypes = 8;

std::string describe(wasm::ValType type) {
  if (type.is_bottom()) return "anything";
  // The reference behind an unconditional branch, of which nothing more is known.
  if (type.is_ref() && type.heap().is_in_group()) return "a reference";
  return wasm::to_string(type);
}

template <class Types, class Get>
std::string list(const Types& types, Get get) {
  std::string text = "[";
  const std::size_t first = types.size() > kMostTypes ? types.size() - kMostTypes : 0;
  if (first != 0) text += "... ";
  for (std::size_t i = first; i < types.size(); ++i) {
    if (i != first) text += ' ';
    text += describe(get(types[i]));
  }
  return text + "]";
}

}  // namespace

std::string type_list(std::span<const wasm::ValType> types) {
  return list(types, [](wasm::ValType type) { return type; });
}

std::string mismatch_message(std::string_view who, std::span<const wasm::ValType> expected,
                             std::span<const Operand> found) {
  return fmt::format("type mismatch: instruction requires {} but stack has {}, in {}", type_list(expected),
                     list(found, [](const Operand& operand) { return operand.type; }), who);
}

std::string leftover_message(std::string_view who, std::span<const wasm::ValType> expected,
                             std::span<const Operand> found) {
  return fmt::format("type mismatch: block requires {} but stack has {}, at its {}", type_list(expected),
                     list(found, [](const Operand& operand) { return operand.type; }), who);
}

std::string sort_message(std::string_view who, std::string_view expected, wasm::ValType found) {
  return fmt::format("type mismatch: instruction requires {} but stack has [{}], in {}", expected,
                     found.is_bottom() ? "" : describe(found), who);
}

std::string unknown_message(std::string_view what, std::uint64_t index, std::uint64_t count, std::string_view owner) {
  return fmt::format("unknown {} {}: the {} has {}", what, index, owner, count);
}

std::string label_message(std::uint32_t depth, std::size_t open) {
  return fmt::format("unknown label {}: {} {} here", depth, open, open == 1 ? "block is open" : "blocks are open");
}

std::string in_function_message(wasm::FuncIndex function) { return fmt::format(" (in function {})", function.value); }

std::string opcode_message(std::uint8_t prefix, std::uint32_t code) {
  if (prefix == 0) return fmt::format("illegal opcode {:02x}", code);
  return fmt::format("illegal opcode {:02x} {:02x}", prefix, code);
}

std::string alignment_message(std::string_view who, bool exact, std::uint32_t align, std::uint32_t access) {
  const auto given = align < 32 ? fmt::format("{}", std::uint64_t{1} << align) : fmt::format("2^{}", align);
  return fmt::format("{}: {} accesses {} bytes and states an alignment of {}",
                     exact ? "atomic alignment must be natural" : "alignment must not be larger than natural", who,
                     access, given);
}

}  // namespace wasi::validate
