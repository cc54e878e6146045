#include <cstddef>
#include <iterator>

#include "jit/common/adapters.h"
#include "jit/common/assembler_x64.h"
#include "runtime/exec_state.h"
#include "runtime/host_function.h"
#include "runtime/native_span.h"
#include "runtime/runtime_call_table.h"
#include "runtime/tier.h"
#include "runtime/vmcontext.h"

namespace wasi::jit {

using runtime::ExecState;
using runtime::Frame;
using runtime::FunctionCode;
using runtime::HostFunction;
using runtime::LoopTarget;
using runtime::NativeSpan;
using runtime::RuntimeCallId;
using runtime::Slot;
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

// What adapters that enter a span have in common: the preserved registers that hold what they were called with, then
// the span at the end of their frame. Their callee is called with the stack pointer there (stack_walk.cc).
class SpanAdapter : public AdapterAssembler {
 public:
  static constexpr x64::Gp kSlots = x64::rbx;
  static constexpr x64::Gp kSelf = x64::r12;
  static constexpr x64::Gp kInstance = x64::r13;
  static constexpr x64::Gp kTarget = x64::r14;

  SpanAdapter() {
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
    load_exec(kInstance);
    mov(x64::rdi, x64::rsp);
    mov(x64::rsi, kInstance);
    mov(x64::rdx, kSlots);
    mov(x64::r8, x64::rbp);
    call_runtime(RuntimeCallId::enter_span);
  }
  void leave() {
    load_exec(kInstance);
    mov(x64::rdi, x64::rsp);
    mov(x64::rsi, kInstance);
    call_runtime(RuntimeCallId::leave_span);
    lea(x64::rsp, x64::qword_ptr(x64::rbp, -kSaved));
    for (auto reg = std::rbegin(kKept); reg != std::rend(kKept); ++reg) pop(*reg);
    pop(x64::rbp);
    ret();
  }

 private:
  static constexpr x64::Gp kKept[] = {kSlots, kSelf, kInstance, kTarget};
  static constexpr std::int32_t kSaved = sizeof(kKept) / sizeof(kKept[0]) * 8;
  // The stack pointer is a multiple of 16 again.
  static constexpr std::int32_t kSpan = (sizeof(NativeSpan) + 15) / 16 * 16;
  static_assert(kSaved % 16 == 0);
};

}  // namespace

Result<std::vector<std::uint8_t>> make_slot_entry(const NativeSignature& signature) {
  SpanAdapter a;
  // Where values without a register go: behind the slots of the signature.
  const auto area = static_cast<std::int32_t>(signature.slot_count) * kSlotSize;
  a.mov(x64::ecx, signature.slot_count);
  a.enter_span();
  for (const Place& place : signature.params) {
    if (place.bank == Place::Bank::memory) a.copy(place, SpanAdapter::kSlots, 0, SpanAdapter::kSlots, area);
  }
  for (const Place& place : signature.params) {
    if (place.bank != Place::Bank::memory) a.load(place, SpanAdapter::kSlots);
  }
  a.mov(Assembler::gpr(kCallee), SpanAdapter::kSelf);
  a.mov(Assembler::gpr(kContext), SpanAdapter::kInstance);
  a.call(x64::qword_ptr(SpanAdapter::kSelf, offsetof(FunctionCode, native_entry)));
  for (const Place& place : signature.results) {
    if (place.bank != Place::Bank::memory) a.store(place, SpanAdapter::kSlots);
  }
  for (const Place& place : signature.results) {
    if (place.bank == Place::Bank::memory) a.copy(place, SpanAdapter::kSlots, area, SpanAdapter::kSlots, 0);
  }
  a.leave();
  return a.take();
}

Result<std::vector<std::uint8_t>> make_loop_entry(const NativeSignature& signature) {
  SpanAdapter a;
  a.mov(x64::ecx, x64::dword_ptr(SpanAdapter::kTarget, offsetof(LoopTarget, frame_slots)));
  a.enter_span();
  a.mov(Assembler::gpr(kContext), SpanAdapter::kInstance);
  a.mov(x64::rsi, SpanAdapter::kSlots);
  a.mov(x64::rdx, x64::qword_ptr(SpanAdapter::kTarget, offsetof(LoopTarget, head)));
  a.mov(Assembler::gpr(kCallee), SpanAdapter::kSelf);
  a.call(x64::qword_ptr(SpanAdapter::kTarget, offsetof(LoopTarget, stub)));
  // The area begins behind the frame, which may have fewer slots than the results: in their order none is written over
  // before it is read.
  a.mov(x64::r10, x64::qword_ptr(x64::rsp, offsetof(Frame, slots)));
  for (const Place& place : signature.results) {
    if (place.bank == Place::Bank::memory) {
      a.copy(place, x64::r10, 0, SpanAdapter::kSlots, 0);
    } else {
      a.store(place, SpanAdapter::kSlots);
    }
  }
  a.leave();
  return a.take();
}

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

}  // namespace wasi::jit
