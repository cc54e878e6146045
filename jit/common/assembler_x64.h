// asmjit for the rest of the project: the one file that includes it for x86-64.
#pragma once

#include <wasi/error.h>

#include <asmjit/x86.h>

#include <cstdint>
#include <vector>

#include "jit/common/native_abi.h"

namespace wasi::jit {

namespace x64 = asmjit::x86;

// An assembler with its buffer. What it makes is position-independent: relocations are refused by take().
class Assembler : public x64::Assembler {
 public:
  Assembler();

  // As a new one.
  void reset();

  // The code, once; `unsupported` where an instruction could not be encoded, or the code is bound to a place. Throws
  // std::bad_alloc where memory has run out.
  Result<std::vector<std::uint8_t>> take();

  // What take() will say.
  [[nodiscard]] bool has_failed() const { return error_.first != asmjit::kErrorOk; }

  static x64::Gp gpr(Gpr reg) { return x64::gpq(static_cast<std::uint32_t>(reg)); }
  static x64::Gp gpr(std::uint8_t number) { return x64::gpq(number); }
  static x64::Xmm xmm(std::uint8_t number) { return x64::xmm(number); }

 private:
  // Keeps the first error: whoever emits need not look at each instruction.
  class FirstError : public asmjit::ErrorHandler {
   public:
    void handleError(asmjit::Error error, const char* message, asmjit::BaseEmitter* origin) override;
    asmjit::Error first = asmjit::kErrorOk;
  };

  void attach();

  asmjit::CodeHolder code_;
  FirstError error_;
};

}  // namespace wasi::jit
