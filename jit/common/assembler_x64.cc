#include "jit/common/assembler_x64.h"

#include <new>

#include "base/check.h"
#include "base/result.h"

// What asmjit calls about mistakes. Where its archive is not made for shared libraries, as Debian's, the one object in
// it that cannot be a part of one is that with these functions of its own, which is left out for ours.
const char* asmjit::DebugUtils::errorAsString(Error /*error*/) noexcept { return "an error of asmjit's"; }
void asmjit::DebugUtils::debugOutput(const char* /*text*/) noexcept {}
void asmjit::DebugUtils::assertionFailed(const char* file, int line, const char* what) noexcept {
  wasi::base::check_failed(what, file, line);
}

namespace wasi::jit {

void Assembler::FirstError::handleError(asmjit::Error error, const char* /*message*/, asmjit::BaseEmitter* /*origin*/) {
  if (first == asmjit::kErrorOk) first = error;
}

Assembler::Assembler() { attach(); }

void Assembler::reset() {
  code_.reset();
  error_ = {};
  attach();
}

void Assembler::attach() {
  asmjit::Environment environment(asmjit::Arch::kX64);
  code_.init(environment);
  code_.setErrorHandler(&error_);
  code_.attach(this);
}

Result<std::vector<std::uint8_t>> Assembler::take() {
  if (error_.first == asmjit::kErrorOutOfMemory) throw std::bad_alloc();
  if (error_.first != asmjit::kErrorOk)
    return fail(ErrorKind::unsupported, "machine code cannot be encoded: asmjit's error {}", error_.first);
  if (code_.hasRelocEntries() || code_.hasUnresolvedLinks()) {
    return fail(ErrorKind::unsupported, "machine code is not position-independent, or a label has no place");
  }
  const asmjit::CodeBuffer& bytes = code_.textSection()->buffer();
  return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
}

}  // namespace wasi::jit
