// The baseline compiler: one function's body to machine code, in one pass.
#pragma once

#include <wasi/error.h>

#include "jit/baseline/optimisations.h"
#include "jit/common/cpu_features.h"
#include "jit/common/machine_code.h"
#include "runtime/bounds_checks.h"
#include "runtime/preparation.h"
#include "wasm/module.h"

namespace wasi::jit::baseline {

// Bytes of machine code per byte of the body, at most; a small constant aside. tests/jit/baseline/cost_test.cc measures
// it for every construct.
inline constexpr std::uint64_t kMostCodePerByte = 200;

struct CompileOptions {
  runtime::BoundsChecks checks = runtime::BoundsChecks::guard_pages;
  CpuFeatures cpu = CpuFeatures::host();
  bool charges_fuel = false;  // code takes from ExecState::fuel what the walk says (validate/function_walk.h)
  bool log = false;           // MachineCode::log is wanted
  bool for_debugger = false;  // MachineCode::locals are wanted, all of them everywhere: they stay in their homes
  bool notes_locals = false;  // MachineCode::local_notes are wanted, which changes what is done before traps alone
  OptimisationSet without = {};
  OptimisationCounts* counts = nullptr;
};

// Checks the body where it is not `validated`. Polls `preparation` and takes from it the memory that it works in; that
// is given back when the preparation ends. `limit` error where the body is too large for this compiler. Thread-safe.
Result<MachineCode> compile(const wasm::Module& module, wasm::FuncIndex function, bool validated,
                            const CompileOptions& options, runtime::Preparation& preparation);

}  // namespace wasi::jit::baseline
