// The compiler's model of the operand stack: where each value is while code is emitted.
//
// A value is pushed as what the instruction said (a local's name, a constant), or in the register that an instruction
// left it in, and goes to its home, the canonical slot of the frame (runtime/frame.h), only when something asks for it.
// What the model keeps:
//  - Entries below `flushed` are in their homes, or constants.
//  - Entries that name the same local are linked, so that they are found without a search when the local changes.
//  - A register belongs to one entry, to the instruction that is being emitted (held), or to a local for good (pinned).
#pragma once

#include <cstdint>
#include <vector>

#include "jit/common/types.h"
#include "wasm/types.h"

namespace wasi::jit::baseline {

constexpr bool is_not_null(wasm::ValType type) { return type.kind() == wasm::ValType::Kind::ref; }
constexpr bool is_vector_bank(Type type) { return type == Type::f32 || type == Type::f64 || type == Type::v128; }
// As which a value is copied through the vector scratch: exactly its bytes, since a load that is wider than the store
// before it waits until that has reached the cache.
constexpr Type word_of(Type type) {
  return type == Type::v128 ? Type::v128 : type == Type::i32 || type == Type::f32 ? Type::f32 : Type::f64;
}
constexpr bool is_64(Type type) { return type == Type::i64 || type == Type::ref; }

// A value of the stack, or one that an instruction has taken from it.
struct Value {
  enum class Where : std::uint8_t {
    home,      // in its slot
    local,     // in the local `local`, wherever that is
    constant,  // `bits`
    flags,     // a condition in the processor's flags, as an i32; only on top, and only until the next instruction
    reg,       // in the register `reg` of its type's bank: its own, or (just computed for local.set) the local's
    access,    // in linear memory, where the compiler knows; the same, and the next instruction takes it from there
    scaled,    // the register `reg` shifted left by `bits`; the same, and the next instruction is an addition
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  Where where = Where::home;
  Type type = Type::i32;
  std::uint8_t reg = 0;
  bool is_not_null = false;     // a reference of which that is known
  std::uint32_t slot = 0;       // canonical, in the frame
  std::uint32_t local = 0;      // its index
  std::uint32_t below = kNone;  // neighbours among the entries that name the same local
  std::uint32_t above = kNone;
  std::uint64_t bits = 0;

  [[nodiscard]] bool is_constant() const { return where == Where::constant; }
  // Whether `reg` means something.
  [[nodiscard]] bool is_register() const { return where == Where::reg || where == Where::scaled; }
};

// A local of the function.
struct Local {
  static constexpr std::uint8_t kNoPin = 0xFF;

  Type type = Type::i32;
  std::uint8_t pin = kNoPin;  // the register that it lives in
  bool is_used = true;        // by any instruction
  bool is_not_null = false;   // a reference that cannot be null where it is read
  std::uint32_t slot = 0;
  std::uint32_t newest = Value::kNone;  // of the entries that name it

  [[nodiscard]] bool is_pinned() const { return pin != kNoPin; }
};

}  // namespace wasi::jit::baseline
