// Which instructions become machine code as a whole. All others call services of the runtime (runtime_calls.def).
#pragma once

#include <array>
#include <cstddef>

#include "runtime/services.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

namespace detail {

// What calls only now and then counts as machine code: cold code keeps the registers.
constexpr bool find_is_inline(wasm::Op op) {
  using wasm::Op;
  if (wasm::info(op).prefix == wasm::kPrefixThreads) {
    return op != Op::memory_atomic_notify && op != Op::memory_atomic_wait32 && op != Op::memory_atomic_wait64;
  }
  switch (op) {
    case Op::struct_new:
    case Op::struct_new_default:
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u:
    case Op::struct_set:
    case Op::array_new_fixed:
    case Op::array_get:
    case Op::array_get_s:
    case Op::array_get_u:
    case Op::array_set:
    case Op::array_len:
    case Op::ref_test:
    case Op::ref_test_null:
    case Op::ref_cast:
    case Op::ref_cast_null:
    case Op::ref_func:
    case Op::table_get:
    case Op::table_set:
      return true;
    default:
      return !runtime::services::service_of(op);
  }
}

inline constexpr auto kIsInline = [] {
  std::array<bool, wasm::kOpCount> table = {};
  for (std::size_t op = 0; op < table.size(); ++op) table[op] = find_is_inline(static_cast<wasm::Op>(op));
  return table;
}();

}  // namespace detail

// Which are content with four temporary registers.
constexpr bool is_frugal(wasm::Op op) { return wasm::info(op).prefix == 0 && op != wasm::Op::ref_func; }

constexpr bool is_inline(wasm::Op op) { return detail::kIsInline[static_cast<std::size_t>(op)]; }

}  // namespace wasi::jit::baseline
