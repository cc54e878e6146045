// Tier 1 as the rest of the project sees it: functions compiled in one pass, and the interpreter for what cannot be.
//
// What has no machine code - too large a body, no memory for code, a host that refuses it - is the interpreter's, so
// the tier runs whatever that one runs.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "jit/baseline/compile.h"
#include "jit/common/code_space.h"
#include "jit/common/optimising_compiler.h"
#include "runtime/native_tier.h"
#include "runtime/tier.h"
#include "runtime/tier_log.h"

namespace wasi::jit::baseline {

using Compiler = decltype(&compile);

struct BaselineOptions {
  const char* name = "baseline";
  // False: functions begin in the interpreter, and stay there until somebody calls compile_function().
  bool compiles_at_first_call = true;
  bool charges_fuel = false;            // as CompileOptions; the interpreter is made to do the same
  std::optional<CpuFeatures> cpu = {};  // that code is made for; empty: this machine's, asked for then
  // Where it is there, functions are compiled by it, neighbours together, and the tier's compiler is not asked.
  std::shared_ptr<OptimisingCompiler> unit_compiler = {};
  // Asked for the one of optimise(), when that is first wanted.
  std::function<Result<std::shared_ptr<OptimisingCompiler>>()> optimiser = {};
  bool strict = false;              // as OptimisingOptions
  runtime::TierLog* log = nullptr;  // is told what is compiled at first calls; outlives the tier
  OptimisationSet without = {};
  UnitOptimisationSet unit_without = {};          // of the unit compiler's
  OptimisationCounts* counts = nullptr;           // of all that is compiled; outlives the tier
  UnitOptimisationCounts* unit_counts = nullptr;  // the same of the unit compiler
};

class BaselineTier : public runtime::Tier, public runtime::NativeTier {
 public:
  // The space outlives it.
  BaselineTier(CodeSpace& space, std::unique_ptr<runtime::Tier> interpreter, Compiler compiler,
               BaselineOptions options = {});
  ~BaselineTier() override;

  Result<void> compile_function(runtime::ModuleCode& module, runtime::FunctionCode& code,
                                runtime::Preparation& preparation) override;

  [[nodiscard]] bool optimises() const override {
    return options_.optimiser != nullptr && !lacks_optimiser_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] const char* optimised_name() const override { return "llvm"; }
  Result<void> optimise(runtime::ModuleCode& module, runtime::FunctionCode& code, std::optional<std::uint64_t> loop,
                        runtime::Preparation& preparation, runtime::Absence* absence) override;
  [[nodiscard]] const void* optimised_loop(const runtime::FunctionCode& code, std::uint64_t loop) const override;

  [[nodiscard]] const char* name() const override { return options_.name; }
  std::unique_ptr<runtime::TierModule> create_module(runtime::ModuleCode& module) override;
  Result<runtime::SlotEntry> prepare(runtime::ModuleCode& module, runtime::TierModule& own, runtime::FunctionCode& code,
                                     runtime::Preparation& preparation) override;
  runtime::NativeEntry bind_native(runtime::ExecState& exec, runtime::VmContext* instance,
                                   runtime::FunctionCode& code) override;
  [[nodiscard]] std::optional<runtime::LoopTarget> loop_target(const runtime::FunctionCode& code,
                                                               std::uint64_t wasm_offset) const override;
  [[nodiscard]] const void* tail_entry(const runtime::FunctionCode& code) const override;
  [[nodiscard]] runtime::CallEntry call_entry(const runtime::FunctionCode& code) const override;
  // Records are the interpreter's: machine code has none.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const runtime::Frame& frame) const override;
  [[nodiscard]] const runtime::Slot* frame_end(const runtime::Frame& frame) const override;
  [[nodiscard]] bool owns_pc(std::uintptr_t pc) const override;
  [[nodiscard]] const void* resume_of_fault(const runtime::ExecState& exec, std::uintptr_t pc,
                                            const std::uint64_t* registers, std::size_t register_count) const override;
  // The interpreter's and its own.
  [[nodiscard]] std::vector<runtime::TierStatistics> statistics() const override;

 private:
  class Module;
  Result<void> compile_function(Module& own, runtime::ModuleCode& module, runtime::FunctionCode& code,
                                runtime::Preparation& preparation);

  // With its neighbours, by the unit compiler.
  Result<std::uint64_t> compile_unit(Module& own, runtime::ModuleCode& module, runtime::FunctionCode& code,
                                     runtime::Preparation& preparation);

  Result<std::shared_ptr<OptimisingCompiler>> optimiser();
  [[nodiscard]] OptimisingOptions optimising_options(const runtime::ModuleCode& module) const;

  // What was compiled, for statistics().
  struct Counts {
    std::atomic<std::uint64_t> functions{0};
    std::atomic<std::uint64_t> uncompiled{0};
    std::atomic<std::uint64_t> bytecode_bytes{0};
    std::atomic<std::uint64_t> code_bytes{0};
    std::atomic<std::uint64_t> nanoseconds{0};
    [[nodiscard]] runtime::TierStatistics of(const char* tier) const;
  };

  CodeSpace& space_;
  const std::unique_ptr<runtime::Tier> interpreter_;
  const Compiler compiler_;
  const BaselineOptions options_;
  Counts counts_;
  Counts optimised_;
  std::mutex optimiser_mutex_;
  std::shared_ptr<OptimisingCompiler> optimiser_;  // null: not asked for yet
  std::atomic<bool> lacks_optimiser_{false};
};

}  // namespace wasi::jit::baseline
