#include <cstddef>
#include <iterator>

#include "base/result.h"
#include "jit/common/adapters.h"
#include "jit/common/assembler_x64.h"
#include "runtime/exec_state.h"
#include "runtime/host_entry.h"
#include "runtime/host_function.h"
#include "runtime/native_span.h"
#include "runtime/runtime_call_table.h"
#include "runtime/tier.h"
#include "runtime/tuning.h"
#include "runtime/vmcontext.h"

namespace wasi::jit {

using runtime::ExecState;
using runtime::Frame;
using runtime::FunctionCode;
using runtime::HostEntry;
using runtime::HostFunction;
using runtime::LoopTarget;
using runtime::NativeSpan;
using runtime::RuntimeCallId;
using runtime::Slot;
using runtime::SpanLinks;
using runtime::VmContext;

namespace {

constexpr std::int32_t kSlotSize = sizeof(Slot);

class AdapterAssembler : public Assembler {
 public:
  void enter_frame() {
    push(x64::rbp);
    mov(x64::rbp, x64::rsp);
  }
  // rax = the store's ExecState; `context` holds the VmContext.
  void load_exec(const x64::Gp& context) { mov(x64::rax, x64::qword_ptr(context, offsetof(VmContext, exec))); }
  // With rax as ExecState, which becomes the place of the function's address.
  x64::Mem runtime_call(RuntimeCallId id) {
    mov(x64::rax, x64::qword_ptr(x64::rax, offsetof(ExecState, calls)));
    return x64::qword_ptr(x64::rax, static_cast<std::int32_t>(id) * 8);
  }
  void call_runtime(RuntimeCallId id) { call(runtime_call(id)); }
  // Between a register and its canonical slot, counted from `slots`.
  void load(const Place& place, const x64::Gp& slots) {
    const auto memory = x64::qword_ptr(slots, static_cast<std::int32_t>(place.slot) * kSlotSize);
    if (place.bank == Place::Bank::general) {
      mov(gpr(place.number), memory);
    } else if (place.is_v128) {
      movups(xmm(place.number), memory);
    } else {
      movsd(xmm(place.number), memory);
    }
  }
  void store(const Place& place, const x64::Gp& slots) {
    const auto memory = x64::qword_ptr(slots, static_cast<std::int32_t>(place.slot) * kSlotSize);
    if (place.bank == Place::Bank::general) {
      mov(memory, gpr(place.number));
    } else if (place.is_v128) {
      movups(memory, xmm(place.number));
    } else {
      movsd(memory, xmm(place.number));
    }
  }
  // A value without a register, between two places that slots are counted from. Clobbers r11.
  void copy(const Place& place, const x64::Gp& from, std::int32_t from_bytes, const x64::Gp& to,
            std::int32_t to_bytes) {
    const std::int32_t words = place.is_v128 ? 2 : 1;
    for (std::int32_t i = 0; i < words; ++i) {
      const std::int32_t at = (static_cast<std::int32_t>(place.slot) + i) * kSlotSize;
      mov(x64::r11, x64::qword_ptr(from, from_bytes + at));
      mov(x64::qword_ptr(to, to_bytes + at), x64::r11);
    }
  }
};

// A member of NativeSpan::SpanLinks, counted from the record.
#define SPAN_LINK(member) static_cast<std::int32_t>(sizeof(Frame) + offsetof(SpanLinks, member))

// What adapters that enter a span have in common: its record lies at the end of their frame, so that the stack pointer
// is there when they call (stack_walk.cc).
class SpanAdapter : public AdapterAssembler {
 public:
  // The stack pointer is a multiple of 16 again.
  static constexpr std::int32_t kSpan = (sizeof(NativeSpan) + 15) / 16 * 16;

 protected:
  // Links the record. `exec` is the ExecState; values without a register go to `area`. Clobbers r8 and r11.
  void link_span(const x64::Gp& exec, const x64::Gp& area) {
    const asmjit::Label is_first = newLabel();
    mov(x64::r11, x64::qword_ptr(exec, offsetof(ExecState, top)));
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, caller)), x64::r11);
    xor_(x64::r11d, x64::r11d);
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, instance)), x64::r11);
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, function)), x64::r11);
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, slots)), area);
    mov(x64::r11, x64::qword_ptr(exec, offsetof(ExecState, free_slot)));
    mov(x64::qword_ptr(x64::rsp, SPAN_LINK(outer_free_slot)), x64::r11);
    mov(x64::qword_ptr(exec, offsetof(ExecState, free_slot)), area);
    mov(x64::qword_ptr(x64::rsp, SPAN_LINK(entry_frame)), x64::rbp);
    mov(x64::r11, x64::qword_ptr(exec, offsetof(ExecState, native_span)));
    mov(x64::qword_ptr(x64::rsp, SPAN_LINK(previous)), x64::r11);
    test(x64::r11, x64::r11);
    jz(is_first);
    mov(x64::r8, x64::qword_ptr(exec, offsetof(ExecState, native_sp)));
    mov(x64::qword_ptr(x64::r11, SPAN_LINK(stack_pointer)), x64::r8);
    bind(is_first);
    mov(x64::qword_ptr(exec, offsetof(ExecState, native_span)), x64::rsp);
    mov(x64::qword_ptr(exec, offsetof(ExecState, top)), x64::rsp);
  }
  // Its last frame has returned. Clobbers r8 and r11.
  void unlink_span(const x64::Gp& exec) {
    const asmjit::Label was_first = newLabel();
    mov(x64::r11, x64::qword_ptr(x64::rsp, SPAN_LINK(previous)));
    mov(x64::qword_ptr(exec, offsetof(ExecState, native_span)), x64::r11);
    test(x64::r11, x64::r11);
    jz(was_first);
    mov(x64::r8, x64::qword_ptr(x64::r11, SPAN_LINK(stack_pointer)));
    mov(x64::qword_ptr(exec, offsetof(ExecState, native_sp)), x64::r8);
    bind(was_first);
    mov(x64::r11, x64::qword_ptr(x64::rsp, SPAN_LINK(outer_free_slot)));
    mov(x64::qword_ptr(exec, offsetof(ExecState, free_slot)), x64::r11);
    mov(x64::r11, x64::qword_ptr(x64::rsp, offsetof(Frame, caller)));
    mov(x64::qword_ptr(exec, offsetof(ExecState, top)), x64::r11);
  }
};

// Adapters that slots are handed to, as to a SlotEntry: the preserved registers hold what they were called with.
class SlotAdapter : public SpanAdapter {
 public:
  static constexpr x64::Gp kSlots = x64::rbx;
  static constexpr x64::Gp kSelf = x64::r12;
  static constexpr x64::Gp kInstance = x64::r13;
  static constexpr x64::Gp kTarget = x64::r14;

  SlotAdapter() {
    enter_frame();
    for (const x64::Gp& reg : kKept) push(reg);
    sub(x64::rsp, kSpan);
    mov(kSlots, x64::rsi);
    mov(kSelf, x64::rdx);
    mov(kInstance, x64::rdi);
    mov(kTarget, x64::rcx);
  }
  // Of ecx slots.
  void enter_span() {
    const asmjit::Label is_outermost = newLabel();
    unsure_ = newLabel();
    load_exec(kInstance);
    lea(x64::rdx, x64::qword_ptr(kSlots, x64::rcx, 3));
    // Most are entered by the host, or by the interpreter, whose newest record is the end of free slots. Another one,
    // which does not lie among slots, is beyond their end, or before what is needed: then check_span knows.
    mov(x64::r11, x64::qword_ptr(x64::rax, offsetof(ExecState, stack_end)));
    mov(x64::r8, x64::qword_ptr(x64::rax, offsetof(ExecState, top)));
    test(x64::r8, x64::r8);
    jz(is_outermost);
    cmp(x64::r8, x64::r11);
    jae(unsure_);
    mov(x64::r11, x64::r8);
    bind(is_outermost);
    lea(x64::r8, x64::qword_ptr(x64::rdx, static_cast<std::int32_t>(runtime::kSpanSlots) * kSlotSize));
    cmp(x64::r8, x64::r11);
    ja(unsure_);
    cmp(x64::rbp, x64::qword_ptr(x64::rax, offsetof(ExecState, native_limit)));
    jb(unsure_);
    sure_ = newLabel();
    bind(sure_);
    link_span(x64::rax, x64::rdx);
  }
  void leave_span() {
    load_exec(kInstance);
    unlink_span(x64::rax);
    lea(x64::rsp, x64::qword_ptr(x64::rbp, -kSaved));
    for (auto reg = std::rbegin(kKept); reg != std::rend(kKept); ++reg) pop(*reg);
    pop(x64::rbp);
    ret();

    bind(unsure_);
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, slots)), x64::rdx);
    mov(x64::rdi, kInstance);
    mov(x64::rsi, kSlots);
    mov(x64::edx, x64::ecx);
    mov(x64::rcx, x64::rbp);
    call_runtime(RuntimeCallId::check_span);
    load_exec(kInstance);
    mov(x64::rdx, x64::qword_ptr(x64::rsp, offsetof(Frame, slots)));
    jmp(sure_);
  }

 private:
  static constexpr x64::Gp kKept[] = {kSlots, kSelf, kInstance, kTarget};
  static constexpr std::int32_t kSaved = sizeof(kKept) / sizeof(kKept[0]) * 8;
  static_assert(kSaved % 16 == 0);

  asmjit::Label unsure_;
  asmjit::Label sure_;
};

}  // namespace

Result<std::vector<std::uint8_t>> make_slot_entry(const NativeSignature& signature) {
  SlotAdapter a;
  // Where values without a register go: behind the slots of the signature.
  const auto area = static_cast<std::int32_t>(signature.slot_count) * kSlotSize;
  a.mov(x64::ecx, signature.slot_count);
  a.enter_span();
  for (const Place& place : signature.params) {
    if (place.bank == Place::Bank::memory) a.copy(place, SlotAdapter::kSlots, 0, SlotAdapter::kSlots, area);
  }
  for (const Place& place : signature.params) {
    if (place.bank != Place::Bank::memory) a.load(place, SlotAdapter::kSlots);
  }
  a.mov(Assembler::gpr(kCallee), SlotAdapter::kSelf);
  a.mov(Assembler::gpr(kContext), SlotAdapter::kInstance);
  a.call(x64::qword_ptr(SlotAdapter::kSelf, offsetof(FunctionCode, native_entry)));
  for (const Place& place : signature.results) {
    if (place.bank != Place::Bank::memory) a.store(place, SlotAdapter::kSlots);
  }
  for (const Place& place : signature.results) {
    if (place.bank == Place::Bank::memory) a.copy(place, SlotAdapter::kSlots, area, SlotAdapter::kSlots, 0);
  }
  a.leave_span();
  return a.take();
}

Result<std::vector<std::uint8_t>> make_loop_entry(const NativeSignature& signature) {
  SlotAdapter a;
  a.mov(x64::ecx, x64::dword_ptr(SlotAdapter::kTarget, offsetof(LoopTarget, frame_slots)));
  a.enter_span();
  a.mov(Assembler::gpr(kContext), SlotAdapter::kInstance);
  a.mov(x64::rsi, SlotAdapter::kSlots);
  a.mov(x64::rdx, x64::qword_ptr(SlotAdapter::kTarget, offsetof(LoopTarget, head)));
  a.mov(Assembler::gpr(kCallee), SlotAdapter::kSelf);
  a.call(x64::qword_ptr(SlotAdapter::kTarget, offsetof(LoopTarget, stub)));
  // The area begins behind the frame, which may have fewer slots than the results: in their order none is written over
  // before it is read.
  a.mov(x64::r10, x64::qword_ptr(x64::rsp, offsetof(Frame, slots)));
  for (const Place& place : signature.results) {
    if (place.bank == Place::Bank::memory) {
      a.copy(place, x64::r10, 0, SlotAdapter::kSlots, 0);
    } else {
      a.store(place, SlotAdapter::kSlots);
    }
  }
  a.leave_span();
  return a.take();
}

#if defined(WASI_ENTRY_WITH_SETJMP)

Result<std::vector<std::uint8_t>> make_call_entry(const NativeSignature& /*signature*/) {
  return fail(ErrorKind::unsupported, "the way back to the host is longjmp");
}

#else

namespace {

class CallAdapter : public SpanAdapter {
 public:
  static constexpr x64::Gp kSlots = x64::rbx;
  static constexpr x64::Gp kExec = x64::r12;

  // rax is free_slot then. The registers lie as wasirun_leave_guest wants them (host_entry.cc); this code itself needs
  // two of them.
  CallAdapter() {
    enter_frame();
    for (const std::uint8_t number : {3, 12, 13, 14, 15}) push(gpr(number));
    sub(x64::rsp, 8 + kSpan);
    mov(x64::qword_ptr(x64::rdi, offsetof(HostEntry, frame)), x64::rbp);
    mov(kSlots, x64::rdx);
    mov(kExec, x64::qword_ptr(x64::rsi, offsetof(VmContext, exec)));
    mov(gpr(kContext), x64::rsi);
    mov(gpr(kCallee), x64::rcx);
    // The record of the only span.
    xor_(x64::r11d, x64::r11d);
    mov(x64::rax, x64::qword_ptr(kExec, offsetof(ExecState, free_slot)));
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, caller)), x64::r11);
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, instance)), x64::r11);
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, function)), x64::r11);
    mov(x64::qword_ptr(x64::rsp, offsetof(Frame, slots)), x64::rax);
    mov(x64::qword_ptr(x64::rsp, SPAN_LINK(previous)), x64::r11);
    mov(x64::qword_ptr(x64::rsp, SPAN_LINK(entry_frame)), x64::rbp);
    mov(x64::qword_ptr(kExec, offsetof(ExecState, native_span)), x64::rsp);
    mov(x64::qword_ptr(kExec, offsetof(ExecState, top)), x64::rsp);
  }
  void leave_span() {
    xor_(x64::eax, x64::eax);
    mov(x64::qword_ptr(kExec, offsetof(ExecState, native_span)), x64::rax);
    mov(x64::qword_ptr(kExec, offsetof(ExecState, top)), x64::rax);
    mov(kSlots, x64::qword_ptr(x64::rbp, -8));
    mov(kExec, x64::qword_ptr(x64::rbp, -16));
    leave();
    ret();
  }
};

}  // namespace

Result<std::vector<std::uint8_t>> make_call_entry(const NativeSignature& signature) {
  CallAdapter a;
  for (const Place& place : signature.params) {
    if (place.bank == Place::Bank::memory) a.copy(place, CallAdapter::kSlots, 0, x64::rax, 0);
  }
  for (const Place& place : signature.params) {
    if (place.bank != Place::Bank::memory) a.load(place, CallAdapter::kSlots);
  }
  a.call(x64::qword_ptr(Assembler::gpr(kCallee), offsetof(FunctionCode, native_entry)));
  bool has_area = false;
  for (const Place& place : signature.results) {
    if (place.bank != Place::Bank::memory) a.store(place, CallAdapter::kSlots);
    has_area |= place.bank == Place::Bank::memory;
  }
  if (has_area) a.mov(x64::rax, x64::qword_ptr(x64::rsp, offsetof(Frame, slots)));
  for (const Place& place : signature.results) {
    if (place.bank == Place::Bank::memory) a.copy(place, x64::rax, 0, CallAdapter::kSlots, 0);
  }
  a.leave_span();
  return a.take();
}

#endif

Result<std::vector<std::uint8_t>> make_tail_entry(const NativeSignature& signature) {
  AdapterAssembler a;
  a.load_exec(Assembler::gpr(kContext));
  a.mov(x64::r11, x64::qword_ptr(x64::rax, offsetof(ExecState, free_slot)));
  // What has no register lies where it belongs.
  for (const Place& place : signature.params) {
    if (place.bank != Place::Bank::memory) a.load(place, x64::r11);
  }
  a.jmp(x64::qword_ptr(Assembler::gpr(kCallee), offsetof(FunctionCode, native_entry)));
  return a.take();
}

namespace {

enum class Callee : std::uint8_t { guest, host };

Result<std::vector<std::uint8_t>> make_entry_to_slots(const NativeSignature& signature, Callee callee) {
  AdapterAssembler a;
  const x64::Gp slots = x64::rbx;
  const x64::Mem exec = x64::qword_ptr(x64::rbp, -16);
  const asmjit::Label unprepared = a.newLabel();
  const asmjit::Label returned = a.newLabel();
  const asmjit::Label threw = a.newLabel();

  a.enter_frame();
  a.push(slots);
  a.sub(x64::rsp, 8);
  if (callee == Callee::guest) {
    a.load_exec(Assembler::gpr(kContext));
  } else {
    a.mov(x64::rax, x64::qword_ptr(Assembler::gpr(kCallee), offsetof(HostFunction, exec)));
  }
  a.mov(exec, x64::rax);
  // As if the caller had said so: it did not know that it leaves machine code.
  a.lea(x64::r11, x64::qword_ptr(x64::rbp, 16));
  a.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, native_sp)), x64::r11);
  a.mov(slots, x64::qword_ptr(x64::rax, offsetof(ExecState, free_slot)));
  for (const Place& place : signature.params) {
    if (place.bank != Place::Bank::memory) a.store(place, slots);
  }
  a.mov(x64::rsi, slots);
  a.mov(x64::rdx, Assembler::gpr(kCallee));
  a.mov(x64::r11, x64::qword_ptr(x64::rdx, offsetof(FunctionCode, entry)));
  if (callee == Callee::guest) {
    a.test(x64::r11, x64::r11);
    a.jz(unprepared);
  }
  a.call(x64::r11);
  a.bind(returned);
  a.mov(x64::r11, exec);
  a.cmp(x64::qword_ptr(x64::r11, offsetof(ExecState, thrown)), 0);
  a.jne(threw);
  for (const Place& place : signature.results) {
    if (place.bank != Place::Bank::memory) a.load(place, slots);
  }
  const auto leave_frame = [&] {
    a.lea(x64::rsp, x64::qword_ptr(x64::rbp, -8));
    a.pop(slots);
    a.pop(x64::rbp);
  };
  leave_frame();
  a.ret();

  a.bind(threw);
  a.mov(x64::rax, x64::r11);
  leave_frame();
  a.jmp(a.runtime_call(RuntimeCallId::unwind_callee));

  if (callee == Callee::guest) {
    a.bind(unprepared);
    a.call_runtime(RuntimeCallId::prepare_and_run);
    a.jmp(returned);
  }
  return a.take();
}

}  // namespace

Result<std::vector<std::uint8_t>> make_native_entry(const NativeSignature& signature) {
  return make_entry_to_slots(signature, Callee::guest);
}

Result<std::vector<std::uint8_t>> make_host_entry(const NativeSignature& signature) {
  return make_entry_to_slots(signature, Callee::host);
}

Result<std::vector<std::uint8_t>> make_direct_entry() {
  AdapterAssembler a;
  const x64::Gp callee = Assembler::gpr(kCallee);
  const asmjit::Label interrupted = a.newLabel();
  a.mov(x64::rax, x64::qword_ptr(callee, offsetof(HostFunction, exec)));
  a.cmp(x64::dword_ptr(x64::rax, offsetof(ExecState, interrupt)), 0);
  a.jne(interrupted);
  // As if the caller had said so: it did not know that it leaves machine code.
  a.lea(x64::r11, x64::qword_ptr(x64::rsp, 8));
  a.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, native_sp)), x64::r11);
  a.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, direct_caller_frame)), x64::rbp);
  a.mov(x64::rdi, x64::qword_ptr(callee, offsetof(HostFunction, direct_data)));
  a.jmp(x64::qword_ptr(callee, offsetof(HostFunction, direct)));

  // It looks at who wants what before the call.
  a.bind(interrupted);
  a.jmp(x64::qword_ptr(callee, offsetof(HostFunction, by_slots)));
  return a.take();
}

}  // namespace wasi::jit
