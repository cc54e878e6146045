// A tier whose machine code is the interpreter: where a loop is left for machine code, the rest of the function runs in
// a second interpreter, as if a compiler had made it. What is tested is the border, with every kind of function.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/native_tier.h"
#include "runtime/stack_walk.h"
#include "runtime/tier.h"
#include "runtime/tier_policy.h"

namespace wasi::interp::test {

// Every call and every branch back is a sample, and one sample is enough.
inline constexpr runtime::TierPolicyOptions kAtOnce = {
    .period = 1, .warm_up_samples = 0, .bytes_per_sample = UINT32_MAX, .immediate_bytes = SIZE_MAX, .threads = 0};

class LoopTier : public runtime::Tier, public runtime::NativeTier {
 public:
  explicit LoopTier(std::unique_ptr<runtime::Tier> interpreter) : interpreter_(std::move(interpreter)) {}

  // In place of a second interpreter: runs the rest of a function whose frame is at `slots`.
  using Rest = std::function<void(runtime::VmContext* vm, runtime::Slot* slots, runtime::FunctionCode& self)>;
  Rest rest;
  std::uint32_t frame_slots = 0;  // not 0: what loops are said to need
  bool replaces_calls = false;    // compiled functions are called in a second interpreter, too
  std::atomic<int> compiled{0};

  // Where loops were left: byte offsets in the module.
  [[nodiscard]] std::set<std::uint64_t> left_loops() const;
  [[nodiscard]] int times_left() const { return times_left_.load(); }

  Result<void> compile_function(runtime::ModuleCode& module, runtime::FunctionCode& function,
                                runtime::Preparation& preparation) override;
  [[nodiscard]] const char* name() const override { return "loops"; }
  std::unique_ptr<runtime::TierModule> create_module(runtime::ModuleCode& module) override {
    return interpreter_->create_module(module);
  }
  Result<runtime::SlotEntry> prepare(runtime::ModuleCode& module, runtime::TierModule& own, runtime::FunctionCode& code,
                                     runtime::Preparation& preparation) override {
    return interpreter_->prepare(module, own, code, preparation);
  }
  [[nodiscard]] std::optional<runtime::LoopTarget> loop_target(const runtime::FunctionCode& code,
                                                               std::uint64_t wasm_offset) const override;
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const runtime::Frame& frame) const override {
    return interpreter_->offset_of(frame);
  }
  [[nodiscard]] const runtime::Slot* frame_end(const runtime::Frame& frame) const override {
    return interpreter_->frame_end(frame);
  }
  [[nodiscard]] bool owns_pc(std::uintptr_t pc) const override { return interpreter_->owns_pc(pc); }
  [[nodiscard]] const void* resume_of_fault(const runtime::ExecState& exec, std::uintptr_t pc,
                                            const std::uint64_t* registers, std::size_t register_count) const override {
    return interpreter_->resume_of_fault(exec, pc, registers, register_count);
  }
  [[nodiscard]] std::vector<runtime::TierStatistics> statistics() const override { return interpreter_->statistics(); }

 private:
  static void leave_loop(runtime::VmContext* vm, runtime::Slot* slots, runtime::FunctionCode* self,
                         const runtime::LoopTarget* target);

  const std::unique_ptr<runtime::Tier> interpreter_;
  const runtime::NativeCode native_;  // that there is some
  mutable std::mutex mutex_;
  mutable std::set<std::uint64_t> left_loops_;
  mutable std::atomic<int> times_left_{0};
};

}  // namespace wasi::interp::test
