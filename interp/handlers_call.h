// Handler bodies: calls and returns.
//
// A call between interpreted functions pushes a Record and goes on in the callee's code: the native stack
// does not grow. All other callees are called through their slot entry. The bytes before a return address
// are the call's `c` operand, so a return finds its caller's slots without a place to store them.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#function-calls
#pragma once

#include "interp/handlers_control.h"
#include "interp/handlers_throw.h"
#include "interp/interpreter_entry.h"
#include "interp/record.h"
#include "interp/shims.h"
#include "interp/slow_path.h"
#include "interp/state.h"
#include "interp/translation.h"
#include "runtime/call_sites.h"

namespace wasi::interp {

WASI_INLINE bool is_interpreted(const FunctionCode& code) {
  return code.entry.load(std::memory_order_acquire) == interpreter_entry;
}

WASI_INLINE void clear_locals(State& s, const Translation& translation, Slot* slots) {
  Slot* locals = slots + translation.parameter_slots;
  for (std::uint32_t i = 0; i < kClearedSlots; ++i) locals[i].u64 = 0;
  if (translation.local_slots > kClearedSlots) {
    std::memset(static_cast<void*>(locals + kClearedSlots), 0,
                std::uint64_t{translation.local_slots - kClearedSlots} * sizeof(Slot));
    after_slow_call(s);
  }
}

// The frame of `translation` fits between its first slot and the records.
WASI_INLINE bool fits(const Translation& translation, const Slot* slots, const Record* record) {
  return reinterpret_cast<std::uintptr_t>(slots + translation.frame_slots) <= reinterpret_cast<std::uintptr_t>(record);
}

// What a call takes from the budget.
WASI_INLINE void spend_at_call(State& s, FunctionCode& code, const Translation& translation) {
  if (s.budget < translation.call_cost) [[unlikely]] {
    s.budget = call_spent(s.vm, s.ip, &code);
    after_slow_call(s);
  } else {
    s.budget -= translation.call_cost;
  }
}

// Goes on in `code`, whose arguments lie at `slots`.
WASI_INLINE void enter(State& s, VmContext* callee_vm, FunctionCode& code, Slot* slots, const std::uint8_t* return_ip) {
  const auto& translation = *static_cast<const Translation*>(code.interpreter.load(std::memory_order_relaxed));
  spend_at_call(s, code, translation);
  ExecState& exec = *s.vm->exec;
  auto* caller = static_cast<Record*>(exec.top);
  Record* record = caller - 1;
  if (!fits(translation, slots, record)) [[unlikely]]
    trap_at(s.vm, s.ip, TrapCode::stack_overflow);
  caller->resume = s.ip;
  record->caller = caller;
  record->instance = callee_vm;
  record->function = &code;
  record->slots = slots;
  record->return_ip = return_ip;
  exec.top = record;
  clear_locals(s, translation, slots);
  s.fp = slots;
  s.ip = translation.code;
}

// Runs a callee that is of another tier or of the host: true when it has returned, or thrown. False when it is
// ready to be entered.
template <std::uint32_t length>
WASI_INLINE bool call_elsewhere(State& s, VmContext* callee_vm, FunctionCode& code, Slot* slots) {
  const CallOutcome outcome = call_slowly(s.vm, s.ip, callee_vm, &code, slots);
  if (outcome == CallOutcome::threw) [[unlikely]] {
    land(s, throw_on(s.vm, false));
    return true;
  }
  if (outcome == CallOutcome::returned) s.ip += length;
  after_long_call(s);
  return outcome == CallOutcome::returned;
}

// Calls a function of this instance or of another one.
template <std::uint32_t length>
WASI_INLINE void call_any(State& s, const FuncRef& function, Slot* slots, const Shim& restore) {
  if (!is_interpreted(*function.code)) {
    if (call_elsewhere<length>(s, function.instance, *function.code, slots)) return;
  }
  if (function.instance == s.vm) {
    enter(s, s.vm, *function.code, slots, s.ip + length);
  } else {
    enter(s, function.instance, *function.code, slots, restore.code);
    s.vm = function.instance;
    after_slow_call(s);
  }
}

struct Call {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    FunctionCode& code = s.vm->functions[index_at(s, kHeadSize)];
    Slot* slots = s.fp + read_code<std::uint16_t>(s.ip + kHeadSize + 4);
    if (!is_interpreted(code)) [[unlikely]] {
      if (call_elsewhere<kLength>(s, s.vm, code, slots)) return;
    }
    enter(s, s.vm, code, slots, s.ip + kLength);
  }
};

struct CallImport {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    const FuncRef& function = *s.vm->imported_functions[index_at(s, kHeadSize)];
    call_any<kLength>(s, function, s.fp + read_code<std::uint16_t>(s.ip + kHeadSize + 4), shims.restore_10);
  }
};

// Operands: index, type, table. The index is as wide as the table's addresses.
template <class Index>
WASI_INLINE FuncRef* indirect_callee(State& s, Index index, std::uint32_t type, std::uint32_t table) {
  const runtime::TableView& view = *s.vm->tables[table];
  if (index < view.size) [[likely]] {
    auto* function = static_cast<FuncRef*>(view.elements[index]);
    if (function != nullptr && function->type.value == s.vm->type_ids[type]) [[likely]]
      return function;
  }
  return calls::resolve_indirect(s.vm, s.ip, table, type, index);
}

template <class Index>
struct CallIndirect {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 12;
  WASI_INLINE static void run(State& s) {
    const FuncRef& function =
        *indirect_callee(s, get<Index, S, kHeadSize>(s), index_at(s, kHeadSize + 2), index_at(s, kHeadSize + 6));
    call_any<kLength>(s, function, s.fp + read_code<std::uint16_t>(s.ip + kHeadSize + 10), shims.restore_16);
  }
};

WASI_INLINE FuncRef& callee_of(State& s, const Slot& reference) {
  if (reference.ref == nullptr) [[unlikely]]
    trap_at(s.vm, s.ip, TrapCode::null_function_reference);
  return *static_cast<FuncRef*>(reference.ref);
}

WASI_INLINE runtime::CallSite& site_at(State& s, std::uint32_t at) {
  return *reinterpret_cast<runtime::CallSite*>(read_code<std::uint64_t>(s.ip + at));
}

// In front of a call: notes whom it will reach, unless that is for the runtime to find out. Operands: index, table,
// site.
template <class Index>
struct ObserveIndirect {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 14;
  WASI_INLINE static void run(State& s) {
    const auto index = get<Index, S, kHeadSize>(s);
    const runtime::TableView& view = *s.vm->tables[index_at(s, kHeadSize + 2)];
    const auto* const function = index < view.size ? static_cast<const FuncRef*>(view.elements[index]) : nullptr;
    if (function != nullptr) site_at(s, kHeadSize + 6).reached(function->code);
    s.ip += kLength;
  }
};

// Operands: reference, site.
struct ObserveReference {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 10;
  WASI_INLINE static void run(State& s) {
    const auto* const function = static_cast<const FuncRef*>(slot_at<kHeadSize>(s).ref);
    if (function != nullptr) site_at(s, kHeadSize + 2).reached(function->code);
    s.ip += kLength;
  }
};

struct CallRef {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    const FuncRef& function = callee_of(s, slot_at<kHeadSize>(s));
    call_any<kLength>(s, function, s.fp + read_code<std::uint16_t>(s.ip + kHeadSize + 4), shims.restore_10);
  }
};

static_assert(CallImport::kLength == 10 && CallRef::kLength == 10 && CallIndirect<std::uint32_t>::kLength == 16,
              "the shims restore_10, restore_16");

WASI_INLINE void leave(State& s) {
  ExecState& exec = *s.vm->exec;
  const auto* record = static_cast<const Record*>(exec.top);
  exec.top = record->caller;
  s.ip = record->return_ip;
  s.fp -= read_code<std::uint16_t>(s.ip - 2);
}

struct ReturnNone {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) { leave(s); }
};

template <class L>
struct ReturnOne {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) {
    s.fp[0].u64 = get<std::uint64_t, L, kHeadSize>(s);
    leave(s);
  }
};

// Behind a call into another instance: the caller's record says which instance and slots were current.
template <std::uint32_t length>
struct Restore {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) {
    const runtime::Frame& caller = *s.vm->exec->top;
    s.vm = caller.instance;
    s.fp = caller.slots;
    s.ip = static_cast<const std::uint8_t*>(caller.resume) + length;
    after_slow_call(s);
  }
};

// The current frame becomes that of `function`. Operands: first argument, count.
WASI_INLINE void tail_call(State& s, VmContext* callee_vm, FunctionCode& code, std::uint32_t first,
                           std::uint32_t count) {
  const Slot* arguments = s.fp + first;
  for (std::uint32_t i = 0; i < count; ++i) s.fp[i] = arguments[i];
  if (!is_interpreted(code)) {
    const CallOutcome outcome = tail_call_slowly(s.vm, s.ip, callee_vm, &code, s.fp);
    if (outcome == CallOutcome::threw) [[unlikely]] {
      land(s, throw_on(s.vm, true));
      return;
    }
    if (outcome == CallOutcome::left) {
      land(s, shims.exit.code);
      return;
    }
    after_long_call(s);
    if (outcome == CallOutcome::returned) {
      leave(s);
      return;
    }
  }
  const auto& translation = *static_cast<const Translation*>(code.interpreter.load(std::memory_order_relaxed));
  spend_at_call(s, code, translation);
  auto* record = static_cast<Record*>(s.vm->exec->top);
  if (!fits(translation, s.fp, record)) [[unlikely]]
    trap_at(s.vm, s.ip, TrapCode::stack_overflow);
  if (callee_vm != s.vm) {
    // The caller, if it is interpreted code of this instance, gets its context back when the callee returns.
    const auto* return_ip = record->return_ip;
    if (return_ip != shims.exit.code && return_ip != shims.restore_10.code && return_ip != shims.restore_16.code) {
      const auto length = return_ip - static_cast<const std::uint8_t*>(record->caller->resume);
      record->return_ip = length == CallImport::kLength ? shims.restore_10.code : shims.restore_16.code;
    }
    s.vm = callee_vm;
    after_slow_call(s);
  }
  record->instance = callee_vm;
  record->function = &code;
  clear_locals(s, translation, s.fp);
  s.ip = translation.code;
}

struct ReturnCall {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) {
    tail_call(s, s.vm, s.vm->functions[index_at(s, kHeadSize + 4)], read_code<std::uint16_t>(s.ip + kHeadSize),
              read_code<std::uint16_t>(s.ip + kHeadSize + 2));
  }
};

struct ReturnCallImport {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) {
    const FuncRef& function = *s.vm->imported_functions[index_at(s, kHeadSize + 4)];
    tail_call(s, function.instance, *function.code, read_code<std::uint16_t>(s.ip + kHeadSize),
              read_code<std::uint16_t>(s.ip + kHeadSize + 2));
  }
};

// Operands: index, first argument, count, type, table.
template <class Index>
struct ReturnCallIndirect {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) {
    const FuncRef& function =
        *indirect_callee(s, get<Index, S, kHeadSize>(s), index_at(s, kHeadSize + 6), index_at(s, kHeadSize + 10));
    tail_call(s, function.instance, *function.code, read_code<std::uint16_t>(s.ip + kHeadSize + 2),
              read_code<std::uint16_t>(s.ip + kHeadSize + 4));
  }
};

// Operands: function, first argument, count.
struct ReturnCallRef {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) {
    const FuncRef& function = callee_of(s, slot_at<kHeadSize>(s));
    tail_call(s, function.instance, *function.code, read_code<std::uint16_t>(s.ip + kHeadSize + 2),
              read_code<std::uint16_t>(s.ip + kHeadSize + 4));
  }
};

// In interpreter_entry's frame; `vm` is the callee's or, after tail calls, another of the same store.
WASI_INLINE State first_state(const std::uint8_t* ip, Slot* slots, VmContext* vm) {
  State s{ip, slots, vm->exec->budget, vm, nullptr, 0, 0, 0, nullptr, 0, V128{}};
  after_long_call(s);
  return s;
}

struct Exit {
  static constexpr Flow kFlow = Flow::exit;
  WASI_INLINE static void run(State& s) { s.vm->exec->budget = static_cast<std::uint32_t>(s.budget); }
};

}  // namespace wasi::interp
