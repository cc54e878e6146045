#include "runtime/poll_entry.h"

#include "base/check.h"
#include "runtime/services.h"

namespace wasi::runtime {

extern "C" [[gnu::visibility("hidden"), gnu::used]] void wasirun_check_stack(VmContext* vm) {
  services::check_stack(vm);
}

#if defined(__x86_64__)
bool poll_keeps_upper_halves = __builtin_cpu_supports("avx");
#endif

}  // namespace wasi::runtime

#if defined(__x86_64__)
// The unwinder goes through this frame: callees throw, and look for registers of their caller's.
asm(R"(
  .text
  .p2align 4
  .hidden wasirun_check_stack_only
  .globl wasirun_check_stack_only
  .type wasirun_check_stack_only, @function
wasirun_check_stack_only:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  .irp register, rax, rcx, rdx, rsi, rdi, r8, r9, r10
  pushq %\register
  .endr
  subq $512, %rsp
  andq $-32, %rsp
  cmpb $0, wasirun_has_avx(%rip)
  je .Lwasirun_poll_without_avx
  .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  vmovaps %ymm\number, 32*\number(%rsp)
  .endr
  vzeroupper
  callq wasirun_check_stack
  .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  vmovaps 32*\number(%rsp), %ymm\number
  .endr
.Lwasirun_poll_registers:
  leaq -64(%rbp), %rsp
  .irp register, r10, r9, r8, rdi, rsi, rdx, rcx, rax, rbp
  popq %\register
  .endr
  .cfi_def_cfa %rsp, 8
  ret
.Lwasirun_poll_without_avx:
  .cfi_def_cfa %rbp, 16
  .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  movaps %xmm\number, 16*\number(%rsp)
  .endr
  callq wasirun_check_stack
  .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  movaps 16*\number(%rsp), %xmm\number
  .endr
  jmp .Lwasirun_poll_registers
  .cfi_endproc
  .size wasirun_check_stack_only, .-wasirun_check_stack_only
)");
#else
// There is no machine code for other processors.
void wasi::runtime::check_stack_only(VmContext*) { WASI_CHECK(false); }
#endif
