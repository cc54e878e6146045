#include "runtime/stack_walk.h"

#include <bit>
#include <type_traits>

#include "base/check.h"
#include "runtime/code_map.h"
#include "runtime/host_entry.h"
#include "runtime/instance.h"
#include "runtime/module_code.h"
#include "runtime/register_entry.h"

namespace wasi::runtime {

namespace {

std::uintptr_t word_at(std::uintptr_t address) { return *reinterpret_cast<const std::uintptr_t*>(address); }

const NativeCode* code_at(std::uintptr_t return_address) {
  const std::optional<CodeLocation> location = code_map().find(return_address - 1);
  return location ? static_cast<const NativeCode*>(location->owner) : nullptr;
}

VmContext* context_at(std::uint32_t words_below, std::uintptr_t frame) {
  return reinterpret_cast<VmContext*>(word_at(frame - words_below * sizeof(std::uintptr_t)));
}

// Calls of two functions in turns, as of path_open and fd_close, seldom meet in one place: all bits count.
std::size_t place_of_caller(std::uintptr_t return_address) {
  constexpr std::uint64_t kGoldenRatio = 0x9E37'79B9'7F4A'7C15;
  constexpr int kBits = std::countr_zero(std::extent_v<decltype(ExecState::known_callers)>);
  return return_address * kGoldenRatio >> (64 - kBits);
}

}  // namespace

StackWalk::StackWalk(const ExecState& exec) : exec_(exec), record_(exec.top) { enter_record(); }

// A span stands for its frames, of which there may be none.
void StackWalk::enter_record() {
  for (; record_ != nullptr && is_span(*record_); record_ = record_->caller) {
    const auto& span = static_cast<const NativeSpan&>(*record_);
    const std::uintptr_t stack_pointer = &span == exec_.native_span ? exec_.native_sp : span.stack_pointer;
    if (exec_.native_fault_pc != 0 && &span == exec_.native_span) {
      // As if the instruction were a call that has just been made.
      pc_ = exec_.native_fault_pc + 1;
      enter_code();
      frame_ = exec_.native_fault_frame;
      return;
    }
    // As low as where whoever entered the span calls: its callee jumped elsewhere.
    if (stack_pointer == lowest_of_entry(exec_, span)) continue;
    pc_ = word_at(stack_pointer - sizeof(std::uintptr_t));
    enter_code();
    frame_ = stack_pointer + code_->frame_bytes;
    return;
  }
}

// At pc_.
void StackWalk::enter_code() {
  const std::optional<CodeLocation> location = code_map().find(pc_ - 1);
  WASI_CHECK(location.has_value());
  code_ = static_cast<const NativeCode*>(location->owner);
  mark_ = location->mark;
}

const InlinedCall* StackWalk::inlined_call() const {
  const auto number = mark_ ? inlined_call_of(*mark_) : std::nullopt;
  return number && *number < code_->inlined_calls.size() ? &code_->inlined_calls[*number] : nullptr;
}

void StackWalk::next() {
  if (!is_native()) {
    record_ = record_->caller;
    return enter_record();
  }
  if (const InlinedCall* const call = inlined_call(); call != nullptr && call->caller != InlinedCall::kNoCaller) {
    mark_ = call->caller;
    return;
  }
  pc_ = word_at(frame_ + sizeof(std::uintptr_t));
  frame_ = word_at(frame_);
  if (frame_ == reinterpret_cast<std::uintptr_t>(static_cast<const NativeSpan&>(*record_).entry_frame)) {
    frame_ = 0;
    record_ = record_->caller;
    return enter_record();
  }
  enter_code();
}

VmContext* StackWalk::instance() const {
  return is_native() ? context_at(code_->context_at, frame_) : record_->instance;
}

FunctionCode* StackWalk::function() const {
  if (!is_native()) return record_->function;
  const InlinedCall* const call = inlined_call();
  return call != nullptr ? call->function : code_->function;
}

std::optional<std::uint64_t> StackWalk::offset() const {
  if (!is_native()) return record_->function->module->tier->offset_of(*record_);
  return mark_ ? std::optional(offset_of_mark(*mark_)) : std::nullopt;
}

Instance* instance_of_frame(const ExecState& exec, std::uintptr_t frame) {
  // Each call of a host function from machine code comes here, mostly from a place that was here before.
  const std::uintptr_t return_address = word_at(exec.native_sp - sizeof(std::uintptr_t));
  ExecState::KnownCaller& known = exec.known_callers[place_of_caller(return_address)];
  const std::uint64_t removals = code_map().removals();
  if (known.return_address != return_address || known.removals != removals) [[unlikely]] {
    const NativeCode* const code = code_at(return_address);
    WASI_CHECK(code != nullptr);
    known = {.return_address = return_address, .removals = removals, .context_at = code->context_at};
  }
  return Instance::from(context_at(known.context_at, frame));
}

Instance* native_caller(const ExecState& exec) {
  // Entries to the host push rbp first of all.
  const std::uintptr_t frame = word_at(exec.native_sp - 2 * sizeof(std::uintptr_t));
  if (frame != reinterpret_cast<std::uintptr_t>(exec.native_span->entry_frame)) [[likely]] {
    return instance_of_frame(exec, frame);
  }
  const StackWalk walk(exec);
  // Without frames in the span, it is whoever stands below it.
  if (walk.at_end() || (!walk.is_native() && &walk.record() == exec.host_entry->top)) return nullptr;
  return Instance::from(walk.instance());
}

}  // namespace wasi::runtime
