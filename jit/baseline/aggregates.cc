// Structures, arrays, i31 and casts.
#include <bit>

#include "base/check.h"
#include "jit/baseline/compiler.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/services.h"

namespace wasi::jit::baseline {

using runtime::RuntimeCallId;
using wasm::Op;

namespace {

std::uint64_t test_bits(const wasm::Module& module, wasm::ValType type) {
  return std::bit_cast<std::uint64_t>(runtime::make_test(*module.registry, type));
}

}  // namespace

void Compiler::lower_aggregate(Op op, const validate::Immediates& immediates) {
  const auto definition = [&]() -> const wasm::SubType& {
    return module_.registry->at(module_.types[immediates.index]);
  };
  // Any reference: the model does not tell them apart.
  const auto reference = [] { return wasm::kExternRef; };
  const auto call = [&](std::size_t operands, std::optional<wasm::ValType> result) {
    service(*runtime::services::service_of(op), operands, result, immediates.index, immediates.index2);
  };
  switch (op) {
    case Op::struct_new:
      return call(definition().fields.size(), reference());
    case Op::struct_new_default:
      return call(0, reference());
    case Op::struct_get:
    case Op::struct_get_s:
    case Op::struct_get_u:
      return call(1, definition().fields[immediates.index2].storage.unpacked());
    case Op::struct_set:
      return call(2, std::nullopt);
    case Op::array_new:
      return call(2, reference());
    case Op::array_new_default:
      return call(1, reference());
    case Op::array_new_fixed:
      return call(immediates.index2, reference());
    case Op::array_new_data:
    case Op::array_new_elem:
      return call(2, reference());
    case Op::array_get:
    case Op::array_get_s:
    case Op::array_get_u:
      return call(2, definition().fields[0].storage.unpacked());
    case Op::array_set:
      return call(3, std::nullopt);
    case Op::array_len:
      return call(1, wasm::kI32);
    case Op::array_fill:
    case Op::array_init_data:
    case Op::array_init_elem:
      return call(4, std::nullopt);
    case Op::array_copy:
      return call(5, std::nullopt);
    case Op::ref_test:
    case Op::ref_test_null:
      return service(RuntimeCallId::ref_test, 1, wasm::kI32, test_bits(module_, immediates.type));
    case Op::ref_cast:
    case Op::ref_cast_null:
      return service(RuntimeCallId::ref_cast, 1, immediates.type, test_bits(module_, immediates.type));
    case Op::any_convert_extern:
    case Op::extern_convert_any:
      return;  // the same bits
    case Op::ref_i31: {
      Value value = pop();
      const x64::Gp reg = in_gpr(value);
      const x64::Gp dst = result_gpr(Type::ref, value);
      asm_.lea(dst.r32(), x64::ptr(reg, reg, 0, 1));
      release(value, dst);
      return push_register(Type::ref, dst);
    }
    case Op::i31_get_s:
    case Op::i31_get_u: {
      Value value = pop();
      const x64::Gp reg = in_gpr(value);
      asm_.test(reg, reg);
      asm_.jz(trap_site(TrapCode::null_i31_reference));
      const x64::Gp dst = result_gpr(Type::i32, value);
      asm_.mov(dst.r32(), reg.r32());
      if (op == Op::i31_get_s) {
        asm_.sar(dst.r32(), 1);
      } else {
        asm_.shr(dst.r32(), 1);
      }
      release(value, dst);
      return push_register(Type::i32, dst);
    }
    default:
      WASI_CHECK(false);
  }
}

void Compiler::test_reference(wasm::ValType type) {
  flush();
  save_pins();
  copy_to(x64::rsi, stack_.back());
  asm_.mov(x64::rdx, test_bits(module_, type));
  call_runtime(RuntimeCallId::passes_test);
  restore_pins();
  asm_.movzx(x64::eax, x64::al);
  push({.where = Where::reg, .type = Type::i32, .reg = kRax});
}

}  // namespace wasi::jit::baseline
