// Vector instructions: operands from the model into registers, and the instruction selection of simd_x64.h.
#include "base/result.h"
#include "jit/baseline/compiler.h"
#include "jit/baseline/stopped.h"

namespace wasi::jit::baseline {

void Compiler::lower_vector(wasm::Op /*op*/, const validate::Immediates& /*immediates*/) {
  stop_unless(fail(ErrorKind::unsupported, "vectors"));
}

}  // namespace wasi::jit::baseline
