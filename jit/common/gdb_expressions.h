// Where a guest's variable is, in the machine's words.
//
// The guest's compiler says it in Wasm's: in a local or a global, or in linear memory at an address made of those. So
// an expression is translated for a piece of machine code at a time, by where the locals are in it (LocalPlace); the
// memory's base and globals are found through the frame's VmContext.
// Source: DWARF 5, section 2.5, and https://yurydelendik.github.io/webassembly-dwarf/
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "binary/dwarf.h"
#include "jit/common/code_listener.h"
#include "jit/common/dwarf_writer.h"

namespace wasi::jit {

// Code offsets, [begin, end).
struct CodeRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct NativeLocation {
  CodeRange range;
  Bytes expression;
};

class ExpressionTranslator {
 public:
  // Of one function. What is referred to outlives it; `unit` and `frame_base` are the guest's, where it has any.
  ExpressionTranslator(const NamedCode& code, const binary::Dwarf::Unit* unit,
                       std::span<const std::uint8_t> frame_base);

  // The machine code of these bytes of the module, in order.
  [[nodiscard]] std::vector<CodeRange> ranges(std::span<const binary::DwarfRange> guest) const;
  // In order of the guest's; nothing where a value cannot be found. A pointer is given as the machine's own, which can
  // be followed: its target's address, and null as null.
  [[nodiscard]] std::vector<NativeLocation> translate(std::span<const binary::DwarfLocation> guest,
                                                      bool is_pointer) const;
  // Of a Wasm local.
  [[nodiscard]] std::vector<NativeLocation> local(std::uint32_t index) const;
  // Leaves where linear memory begins, as a value; empty where nobody can say.
  [[nodiscard]] Bytes memory_base() const;

 private:
  class Translation;
  [[nodiscard]] std::vector<std::uint32_t> locals_in(std::span<const std::uint8_t> expression) const;
  [[nodiscard]] const LocalPlace* place(std::uint32_t local, std::uint32_t at) const;

  const NamedCode& code_;
  const binary::Dwarf::Unit* const unit_;
  const std::span<const std::uint8_t> frame_base_;
};

}  // namespace wasi::jit
