// Every word that means something in the text format, as a number: instructions (opcodes.def) and the rest
// (keywords.def).
#pragma once

#include <cstdint>
#include <string_view>

#include "wasm/opcodes.h"

namespace wasi::text {

enum class Word : std::uint16_t {
#define TEXT_KEYWORD(name, text) name,
#include "text/keywords.def"
#undef TEXT_KEYWORD
  count
};

// A word of keywords.def, an instruction, or nothing known. Where several instructions share a name (select,
// ref.test, ref.cast), it is the first of them.
class Keyword {
 public:
  constexpr Keyword() = default;
  constexpr Keyword(Word word)  // NOLINT(google-explicit-constructor): a word is a keyword
      : number_(static_cast<std::uint16_t>(wasm::kOpCount + static_cast<std::uint16_t>(word))) {}
  constexpr Keyword(wasm::Op op) : number_(static_cast<std::uint16_t>(op)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] constexpr bool is_known() const { return number_ != kUnknown; }
  [[nodiscard]] constexpr bool is_op() const { return number_ < wasm::kOpCount; }
  [[nodiscard]] constexpr wasm::Op op() const { return is_op() ? static_cast<wasm::Op>(number_) : wasm::kNoOp; }
  [[nodiscard]] constexpr Word word() const {
    return is_op() || !is_known() ? Word::count : static_cast<Word>(number_ - wasm::kOpCount);
  }
  friend constexpr bool operator==(Keyword, Keyword) = default;

 private:
  static constexpr std::uint16_t kUnknown = 0xFFFF;
  std::uint16_t number_ = kUnknown;
};

// The keyword that is spelled so.
Keyword find_keyword(std::string_view text);

}  // namespace wasi::text
