// Atomic accesses.
#include "jit/baseline/compiler.h"
#include "runtime/services.h"

namespace wasi::jit::baseline {

using wasm::Op;

void Compiler::lower_atomic(Op op, const validate::Immediates& immediates) {
  if (op == Op::atomic_fence) {
    asm_.mfence();
    return;
  }
  const std::string_view signature = wasm::info(op).signature;
  const std::size_t operands = signature.find(':');
  std::optional<wasm::ValType> result;
  if (!signature.ends_with(':')) result = signature.back() == 'l' ? wasm::kI64 : wasm::kI32;
  service(*runtime::services::service_of(op), operands, result, immediates.memarg.offset,
          immediates.memarg.memory.value);
}

}  // namespace wasi::jit::baseline
