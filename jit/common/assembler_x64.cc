#include "jit/common/assembler_x64.h"

#include <new>

#include "base/result.h"

namespace wasi::jit {

void Assembler::FirstError::handleError(asmjit::Error error, const char* message, asmjit::BaseEmitter* /*origin*/) {
  if (first != asmjit::kErrorOk) return;
  first = error;
  text = message;
}

Assembler::Assembler() {
  asmjit::Environment environment(asmjit::Arch::kX64);
  code_.init(environment);
  code_.setErrorHandler(&error_);
  code_.attach(this);
}

Result<std::vector<std::uint8_t>> Assembler::take() {
  if (error_.first == asmjit::kErrorOutOfMemory) throw std::bad_alloc();
  if (error_.first != asmjit::kErrorOk)
    return fail(ErrorKind::unsupported, "machine code cannot be encoded: {}", error_.text);
  if (code_.hasRelocEntries() || code_.hasUnresolvedLinks()) {
    return fail(ErrorKind::unsupported, "machine code is not position-independent, or a label has no place");
  }
  const asmjit::CodeBuffer& bytes = code_.textSection()->buffer();
  return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace wasi::jit
