// Tier 1 as the rest of the project sees it: functions compiled in one pass, and the interpreter for what cannot be.
//
// What has no machine code - too large a body, no memory for code, a host that refuses it - is the interpreter's, so
// the tier runs whatever that one runs.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "jit/baseline/compile.h"
#include "jit/common/code_space.h"
#include "runtime/tier.h"

namespace wasi::jit::baseline {

using Compiler = decltype(&compile);

struct BaselineOptions {
  // False: functions begin in the interpreter, and stay there until somebody calls compile_function().
  bool compiles_at_first_call = true;
};

class BaselineTier : public runtime::Tier {
 public:
  // The space outlives it.
  BaselineTier(CodeSpace& space, std::unique_ptr<runtime::Tier> interpreter, Compiler compiler,
               BaselineOptions options = {});
  ~BaselineTier() override;

  // Gives a function of a module of this tier's machine code, unless it has some, wherever it runs now: calls that
  // begin from now on are in it. `code` is a filled record. Thread-safe. An Error changes nothing; it is one of the
  // body's, of the preparation, or says what is missing for machine code.
  Result<void> compile_function(runtime::ModuleCode& module, runtime::FunctionCode& code,
                                runtime::Preparation& preparation);

  [[nodiscard]] const char* name() const override { return "baseline"; }
  std::unique_ptr<runtime::TierModule> create_module(runtime::ModuleCode& module) override;
  Result<runtime::SlotEntry> prepare(runtime::ModuleCode& module, runtime::TierModule& own, runtime::FunctionCode& code,
                                     runtime::Preparation& preparation) override;
  runtime::NativeEntry bind_native(runtime::ExecState& exec, runtime::VmContext* instance,
                                   runtime::FunctionCode& code) override;
  [[nodiscard]] std::optional<runtime::LoopTarget> loop_target(const runtime::FunctionCode& code,
                                                               std::uint64_t wasm_offset) const override;
  // Records are the interpreter's: machine code has none.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const runtime::Frame& frame) const override;
  [[nodiscard]] const runtime::Slot* frame_end(const runtime::Frame& frame) const override;
  [[nodiscard]] bool owns_pc(std::uintptr_t pc) const override;
  [[nodiscard]] const void* resume_of_fault(const runtime::ExecState& exec, std::uintptr_t pc,
                                            const std::uint64_t* registers, std::size_t register_count) const override;
  // Of both.
  [[nodiscard]] runtime::TierStatistics statistics() const override;

 private:
  class Module;
  Result<void> compile_function(Module& own, runtime::ModuleCode& module, runtime::FunctionCode& code,
                                runtime::Preparation& preparation);

  CodeSpace& space_;
  const std::unique_ptr<runtime::Tier> interpreter_;
  const Compiler compiler_;
  const BaselineOptions options_;
  std::atomic<std::uint64_t> functions_{0};
  std::atomic<std::uint64_t> uncompiled_{0};
  std::atomic<std::uint64_t> bytecode_bytes_{0};
  std::atomic<std::uint64_t> code_bytes_{0};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace wasi::jit::baseline
