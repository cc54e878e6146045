#include "loop_tier.h"

#include "interp/dispatch.h"
#include "interp/interpreter_entry.h"
#include "interp/record.h"
#include "interp/shims.h"
#include "interp/translation.h"
#include "runtime/code_entry.h"

namespace wasi::interp::test {

using runtime::FunctionCode;
using runtime::LoopTarget;
using runtime::Slot;
using runtime::VmContext;

namespace {

// A call of an interpreted function, by an entry that is not the interpreter's.
void call_replaced(VmContext* vm, Slot* slots, FunctionCode* self) { interpreter_entry(vm, slots, self); }

const std::uint8_t* code_of_loop(const Translation& translation, std::uint64_t offset) {
  for (const std::uint8_t* at = translation.code; at != translation.code + translation.code_size; ++at) {
    if (translation.loop_at(at) == offset) return at;
  }
  return nullptr;
}

}  // namespace

Result<void> LoopTier::compile_function(runtime::ModuleCode& /*module*/, FunctionCode& function,
                                        runtime::Preparation& /*preparation*/) {
  ++compiled;
  function.native_code.store(&native_, std::memory_order_release);
  if (replaces_calls) function.entry.store(call_replaced, std::memory_order_release);
  return {};
}

std::set<std::uint64_t> LoopTier::left_loops() const {
  const std::lock_guard lock(mutex_);
  return left_loops_;
}

std::optional<LoopTarget> LoopTier::loop_target(const FunctionCode& code, std::uint64_t wasm_offset) const {
  const auto& translation = *static_cast<const Translation*>(code.interpreter.load());
  return LoopTarget{.stub = this,
                    .head = reinterpret_cast<const void*>(wasm_offset),
                    .frame_slots = frame_slots != 0 ? frame_slots : translation.frame_slots,
                    .adapter = leave_loop};
}

void LoopTier::leave_loop(VmContext* vm, Slot* slots, FunctionCode* self, const LoopTarget* target) {
  const auto& tier = *static_cast<const LoopTier*>(target->stub);
  const auto offset = reinterpret_cast<std::uint64_t>(target->head);
  {
    const std::lock_guard lock(tier.mutex_);
    tier.left_loops_.insert(offset);
  }
  ++tier.times_left_;
  if (tier.rest) return tier.rest(vm, slots, *self);
  const auto& translation = *static_cast<const Translation*>(self->interpreter.load());
  runtime::ExecState& exec = *vm->exec;
  Record* record = newest_record(exec) - 1;
  static_cast<runtime::Frame&>(*record) = {
      .caller = exec.top, .instance = vm, .function = self, .slots = slots, .resume = translation.code};
  record->return_ip = shims.exit.code;
  exec.top = record;
  run(code_of_loop(translation, offset), slots, vm);
}

}  // namespace wasi::interp::test
