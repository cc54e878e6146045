// What a compiler of the highest tier offers: the plug-in's border (docs/architecture.md).
//
// It is a library of its own, which is loaded when it is first needed and not before: nothing else of the project has
// LLVM in it. The plug-in exports kOptimisingCompilerSymbol, of the type MakeOptimisingCompiler, and kAskHostSymbol.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jit/common/cpu_features.h"
#include "jit/common/held_functions.h"
#include "jit/common/machine_code.h"
#include "jit/common/unit_optimisations.h"
#include "runtime/bounds_checks.h"
#include "runtime/call_sites.h"
#include "runtime/native_tuning.h"
#include "runtime/preparation.h"
#include "wasm/module.h"

namespace wasi::jit {

struct OptimisingOptions {
  runtime::BoundsChecks checks = runtime::BoundsChecks::guard_pages;
  CpuFeatures cpu = CpuFeatures::least();
  bool charges_fuel = false;  // code takes from ExecState::fuel what the walk says (validate/function_walk.h)
  // Every access to memory happens as written, in order with all other stores that can be seen after a trap, and no
  // call is merged with another: what a trap leaves behind is then exactly what the spec says. (A backtrace's innermost
  // offset may be that of the instruction which takes what a load that faults should have given.)
  bool strict = false;
  // Of a function, or of what is left of it from a loop on; what is larger is refused. LLVM needs some 2 KiB of memory
  // for each byte, and more time for each the more there are.
  std::uint32_t most_body_bytes = runtime::kMostOptimisedBytes;
  bool log = false;  // MachineUnit::log is wanted, which takes another compilation
  // UnitFunction::locals are wanted, as far as they can be had. No function becomes a part of another one then.
  bool for_debugger = false;
  // held_functions() of the module, with what is known of their heat. Empty: calls by reference may reach anyone.
  std::span<const HeldFunction> held = {};
  // Whom calls by reference were seen to reach, by their offsets. Of others, `held` is what is known.
  std::span<const runtime::SeenCall> seen = {};
  UnitOptimisationSet without = {};
  UnitOptimisationCounts* counts = nullptr;
};

// A function of a unit: what MachineCode says, within bytes that all of the unit have in common.
struct UnitFunction {
  wasm::FuncIndex index;
  std::uint32_t begin = 0;  // which is the entry
  std::uint32_t end = 0;
  std::vector<runtime::OffsetEntry> marks;  // from `begin` on
  std::vector<InlinedCall> inlined_calls;   // that marks speak of
  std::uint32_t frame_bytes = 0;
  SavedRegisters saved = {};
  std::uint32_t context_at = 0;
  bool catches = false;
  std::optional<std::uint64_t> loop = {};  // as in the request
  std::uint32_t frame_slots = 0;           // of the frame whose slots it takes over then
  std::vector<LocalPlace> locals = {};
};

// Functions that were compiled together, and call each other directly. Any instruction may fault.
struct MachineUnit {
  std::vector<std::uint8_t> bytes;
  std::vector<UnitFunction> functions;
  // The assembler's text, where it was asked for. Function 3 is behind the label "f3", or "f3_90" for its loop at byte
  // 90 of the module; "; 3 0x5A" stands in front of what became of the instruction at that byte, in the body of
  // function 3.
  std::string log;
};

struct UnitRequest {
  wasm::FuncIndex index;
  bool validated = false;  // else the body is checked
  // Not the function itself, but what goes on in a call of it that stands at this loop, by the byte offset of its
  // `loop` instruction. Its first integer argument points to the slots of the frame that is left, laid out as the
  // interpreter's; its results are the function's.
  std::optional<std::uint64_t> loop = {};
};

class OptimisingCompiler {
 public:
  virtual ~OptimisingCompiler() = default;

  // Of what was asked for, the first function is wanted: where its body is wrong, that is the Error. Others are left
  // out then. Polls `preparation` and takes from it the memory that it works in. Thread-safe.
  virtual Result<MachineUnit> compile(const wasm::Module& module, std::span<const UnitRequest> functions,
                                      const OptimisingOptions& options, runtime::Preparation& preparation) = 0;
};

// Counts what the border consists of: a plug-in of another number is not taken.
inline constexpr unsigned kOptimisingCompilerVersion = 10;
inline constexpr const char* kOptimisingCompilerSymbol = "wasirun_optimising_compiler";
// Null where the versions differ, or the processor is none for it.
using MakeOptimisingCompiler = OptimisingCompiler* (*)(unsigned version);

// Loads the plug-in, once for the process: from WASIRUN_LLVM_PLUGIN where that is set, from beside this library or
// executable. `unsupported`, with what the loader said, where there is none.
Result<std::shared_ptr<OptimisingCompiler>> load_optimising_compiler();
// The same, for who wants to know where it is: the plug-in's file.
Result<std::filesystem::path> optimising_compiler_file();

}  // namespace wasi::jit
