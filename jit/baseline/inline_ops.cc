#include "jit/baseline/inline_ops.h"

#include "runtime/services.h"

namespace wasi::jit::baseline {

using wasm::Op;

// What calls only now and then counts as machine code: cold code keeps the registers.
bool is_inline(Op op) {
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

}  // namespace wasi::jit::baseline
