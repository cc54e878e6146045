// The switch between host and guest: a few instructions of assembly, since it is paid at every call
// from the host.
#include "runtime/host_entry.h"

#include <cstddef>

#include "runtime/machine_call.h"

#if defined(__SANITIZE_ADDRESS__)
#define WASI_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WASI_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(WASI_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

#if !defined(WASI_ENTRY_WITH_SETJMP)
extern "C" [[noreturn, gnu::visibility("hidden")]] void wasirun_leave_guest(void* frame);

// Other entries (jit/common/adapters.h, register_entry.h) keep the registers in the same places below their rbp, so
// that wasirun_leave_guest leaves them, too. wasirun_enter_guest takes (frame, entry, instance, slots, code) in the
// order of the argument registers. The frame pointer makes stack walks by debuggers and profilers pass through.
asm(R"(
  .text
  .p2align 4
  .hidden wasirun_enter_guest
  .globl wasirun_enter_guest
  .type wasirun_enter_guest, @function
wasirun_enter_guest:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushq %rbx
  .cfi_offset %rbx, -24
  pushq %r12
  .cfi_offset %r12, -32
  pushq %r13
  .cfi_offset %r13, -40
  pushq %r14
  .cfi_offset %r14, -48
  pushq %r15
  .cfi_offset %r15, -56
  subq $8, %rsp
  movq %rbp, (%rdi)
  movq %rsi, %rax
  movq %rdx, %rdi
  movq %rcx, %rsi
  movq %r8, %rdx
  callq *%rax
  xorl %eax, %eax
.Lwasirun_return_to_host:
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  .cfi_def_cfa %rsp, 8
  retq
  .cfi_endproc
  .size wasirun_enter_guest, .-wasirun_enter_guest

  .p2align 4
  .hidden wasirun_leave_guest
  .globl wasirun_leave_guest
  .type wasirun_leave_guest, @function
wasirun_leave_guest:
  leaq -48(%rdi), %rsp
  movq %rdi, %rbp
  movl $1, %eax
  jmp .Lwasirun_return_to_host
  .size wasirun_leave_guest, .-wasirun_leave_guest
)");
#endif

namespace wasi::runtime {

#if defined(WASI_ENTRY_WITH_SETJMP)

WASI_CALLS_MACHINE_CODE bool enter_guest(HostEntry& host_entry, SlotEntry entry, VmContext* instance, Slot* slots,
                                         FunctionCode* code) {
  if (_setjmp(host_entry.registers) != 0) return true;
  entry(instance, slots, code);
  return false;
}

void leave_guest(HostEntry& host_entry) {
#if defined(WASI_ADDRESS_SANITIZER)
  __asan_handle_no_return();
#endif
  // The same function for what _setjmp kept. The thread sanitizer knows it by this name alone: by the other one its
  // own stack keeps all frames that are left here, until it is full.
  longjmp(host_entry.registers, 1);
}

#else

static_assert(offsetof(HostEntry, frame) == 0);

void leave_guest(HostEntry& host_entry) {
#if defined(WASI_ADDRESS_SANITIZER)
  // Frames between here and the entry vanish without unpoisoning their stack.
  __asan_handle_no_return();
#endif
  host_entry.gate.outcome = detail::CallOutcome::stopped;
  wasirun_leave_guest(host_entry.frame);
}

#endif

}  // namespace wasi::runtime
