#include "runtime/native_unwind.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/check.h"
#include "runtime/code_map.h"
#include "runtime/exception.h"
#include "runtime/stack_walk.h"
#include "runtime/thread_state.h"

namespace wasi::runtime {

namespace {

constexpr unsigned kPreservedRegisters = 5;

// As the assembly below has it.
struct Registers {
  std::uintptr_t preserved[kPreservedRegisters];  // rbx, r12 to r15
  std::uintptr_t rbp;
  std::uintptr_t rsp;
  std::uintptr_t pc;
  // Of a tail call: rdi and r10.
  VmContext* instance;
  FunctionCode* function;
};
static_assert(offsetof(Registers, rbp) == 40 && offsetof(Registers, rsp) == 48 && offsetof(Registers, pc) == 56 &&
              offsetof(Registers, instance) == 64 && offsetof(Registers, function) == 72 && sizeof(Registers) == 80);

std::uintptr_t& word_at(std::uintptr_t address) { return *reinterpret_cast<std::uintptr_t*>(address); }

const NativeCode& code_at(std::uintptr_t return_address) {
  const std::optional<CodeLocation> location = code_map().find(return_address - 1);
  WASI_CHECK(location.has_value());
  return *static_cast<const NativeCode*>(location->owner);
}

// To the caller of the frame at rbp.
void leave_frame(const NativeCode& code, Registers& registers) {
  for (unsigned i = 0; i < kPreservedRegisters; ++i) {
    if (code.saved[i] != 0) registers.preserved[i] = word_at(registers.rbp - code.saved[i] * sizeof(std::uintptr_t));
  }
  registers.pc = word_at(registers.rbp + sizeof(std::uintptr_t));
  registers.rsp = registers.rbp + 2 * sizeof(std::uintptr_t);
  registers.rbp = word_at(registers.rbp);
}

// Nobody in this span catches: makes exec.pending what the host gets if nobody else does.
void see_to_pending(ExecState& exec) {
  const auto& pending = exec.pending.exception;
  if (pending != nullptr && pending->in(*exec.store) == exec.thrown) {
    complete_uncaught(exec);
  } else {
    exec.pending = make_uncaught(exec, *exec.thrown);
  }
}

}  // namespace

// The tail call goes on as a call of whoever called the adapter, which has left its frame.
void go_on_in_tail_call(ExecState& exec, Registers& registers) {
  exec.thrown = nullptr;
  registers.instance = exec.tail_instance;
  registers.function = exec.tail_callee;
  registers.rsp = exec.native_sp - sizeof(std::uintptr_t);
  registers.pc = reinterpret_cast<std::uintptr_t>(exec.tail_entry);
}

// Finds where the exception goes on. `leaves`: not in the frame that stands at native_sp.
extern "C" [[gnu::visibility("hidden"), gnu::used]] void wasirun_find_landing(Registers& registers,
                                                                              bool leaves) noexcept {
  ExecState& exec = *thread_state.running;
  WASI_CHECK(exec.thrown != nullptr && exec.native_span != nullptr);
  if (exec.thrown == kTailCall) return go_on_in_tail_call(exec, registers);
  // A function of the host that machine code called directly returned to here instead.
  if (exec.direct_return != 0) word_at(exec.native_sp - sizeof(std::uintptr_t)) = std::exchange(exec.direct_return, 0);
  const auto entry_frame = reinterpret_cast<std::uintptr_t>(exec.native_span->entry_frame);
  registers.rsp = exec.native_sp;
  registers.pc = word_at(exec.native_sp - sizeof(std::uintptr_t));
  while (registers.rbp != entry_frame) {
    const NativeCode& code = code_at(registers.pc);
    if (code.catches && !leaves) return;
    leaves = false;
    leave_frame(code, registers);
  }
  see_to_pending(exec);
}

}  // namespace wasi::runtime

#if defined(__x86_64__)
// What is above the stack pointer's old place stays: the walk reads the return address of a call that has returned.
asm(R"(
  .text
  .p2align 4
  .hidden wasirun_unwind
  .globl wasirun_unwind
  .type wasirun_unwind, @function
wasirun_unwind:
  movl $1, %esi
  jmp .Lwasirun_unwind
  .size wasirun_unwind, .-wasirun_unwind

  .p2align 4
  .hidden wasirun_unwind_callee
  .globl wasirun_unwind_callee
  .type wasirun_unwind_callee, @function
wasirun_unwind_callee:
  xorl %esi, %esi
.Lwasirun_unwind:
  leaq -128(%rsp), %rsp
  andq $-16, %rsp
  subq $80, %rsp
  movq %rbx, (%rsp)
  movq %r12, 8(%rsp)
  movq %r13, 16(%rsp)
  movq %r14, 24(%rsp)
  movq %r15, 32(%rsp)
  movq %rbp, 40(%rsp)
  movq %rsp, %rdi
  callq wasirun_find_landing
  movq (%rsp), %rbx
  movq 8(%rsp), %r12
  movq 16(%rsp), %r13
  movq 24(%rsp), %r14
  movq 32(%rsp), %r15
  movq 40(%rsp), %rbp
  movq 64(%rsp), %rdi
  movq 72(%rsp), %r10
  movq 56(%rsp), %rax
  movq 48(%rsp), %rsp
  jmpq *%rax
  .size wasirun_unwind_callee, .-wasirun_unwind_callee
)");
#else
namespace wasi::runtime::services {

// There is no machine code for other processors.
void unwind() { WASI_CHECK(false); }
void unwind_callee() { WASI_CHECK(false); }

}  // namespace wasi::runtime::services
#endif
