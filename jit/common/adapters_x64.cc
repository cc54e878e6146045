#include <cstddef>

#include "jit/common/adapters.h"
#include "jit/common/assembler_x64.h"
#include "runtime/exec_state.h"
#include "runtime/native_span.h"
#include "runtime/runtime_call_table.h"
#include "runtime/vmcontext.h"

namespace wasi::jit {

using runtime::ExecState;
using runtime::FunctionCode;
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
  // With rax as ExecState.
  void call_runtime(RuntimeCallId id) {
    mov(x64::rax, x64::qword_ptr(x64::rax, offsetof(ExecState, calls)));
    call(x64::qword_ptr(x64::rax, static_cast<std::int32_t>(id) * 8));
  }
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

}  // namespace

Result<std::vector<std::uint8_t>> make_slot_entry(const NativeSignature& signature) {
  AdapterAssembler a;
  const x64::Gp slots = x64::rbx;
  const x64::Gp self = x64::r12;
  const x64::Gp context = x64::r13;
  // Three registers and the span keep the stack pointer a multiple of 16.
  constexpr std::int32_t kSaved = 3 * 8;
  constexpr std::int32_t kSpan = (sizeof(NativeSpan) + kSaved + 15) / 16 * 16 - kSaved;
  // Where values without a register go: behind the slots of the signature.
  const auto area = static_cast<std::int32_t>(signature.slot_count) * kSlotSize;

  a.enter_frame();
  a.push(slots);
  a.push(self);
  a.push(context);
  a.sub(x64::rsp, kSpan);
  a.mov(slots, x64::rsi);
  a.mov(self, x64::rdx);
  a.mov(context, x64::rdi);

  a.load_exec(context);
  a.mov(x64::rdi, x64::rsp);
  a.mov(x64::rsi, context);
  a.mov(x64::rdx, slots);
  a.mov(x64::ecx, signature.slot_count);
  a.mov(x64::r8, x64::rbp);
  a.call_runtime(RuntimeCallId::enter_span);

  for (const Place& place : signature.params) {
    if (place.bank == Place::Bank::memory) a.copy(place, slots, 0, slots, area);
  }
  for (const Place& place : signature.params) {
    if (place.bank != Place::Bank::memory) a.load(place, slots);
  }
  a.mov(Assembler::gpr(kCallee), self);
  a.mov(Assembler::gpr(kContext), context);
  a.call(x64::qword_ptr(self, offsetof(FunctionCode, native_entry)));

  for (const Place& place : signature.results) {
    if (place.bank != Place::Bank::memory) a.store(place, slots);
  }
  for (const Place& place : signature.results) {
    if (place.bank == Place::Bank::memory) a.copy(place, slots, area, slots, 0);
  }
  a.load_exec(context);
  a.mov(x64::rdi, x64::rsp);
  a.mov(x64::rsi, context);
  a.call_runtime(RuntimeCallId::leave_span);

  a.lea(x64::rsp, x64::qword_ptr(x64::rbp, -kSaved));
  a.pop(context);
  a.pop(self);
  a.pop(slots);
  a.pop(x64::rbp);
  a.ret();
  return a.take();
}

Result<std::vector<std::uint8_t>> make_native_entry(const NativeSignature& signature) {
  AdapterAssembler a;
  const x64::Gp slots = x64::rbx;
  const asmjit::Label unprepared = a.newLabel();
  const asmjit::Label returned = a.newLabel();

  a.enter_frame();
  a.push(slots);
  a.sub(x64::rsp, 8);
  a.load_exec(Assembler::gpr(kContext));
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
  a.test(x64::r11, x64::r11);
  a.jz(unprepared);
  a.call(x64::r11);
  a.bind(returned);
  for (const Place& place : signature.results) {
    if (place.bank != Place::Bank::memory) a.load(place, slots);
  }
  a.lea(x64::rsp, x64::qword_ptr(x64::rbp, -8));
  a.pop(slots);
  a.pop(x64::rbp);
  a.ret();

  a.bind(unprepared);
  a.call_runtime(RuntimeCallId::prepare_and_run);
  a.jmp(returned);
  return a.take();
}

}  // namespace wasi::jit
