// The optimising compiler: bodies of functions to machine code, by way of LLVM.
#pragma once

#include "jit/common/optimising_compiler.h"

namespace wasi::jit::optimising {

class Compiler : public OptimisingCompiler {
 public:
  Result<MachineUnit> compile(const wasm::Module& module, std::span<const UnitRequest> functions,
                              const OptimisingOptions& options, runtime::Preparation& preparation) override;
};

}  // namespace wasi::jit::optimising
