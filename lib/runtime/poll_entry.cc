#include "runtime/poll_entry.h"

#include "base/check.h"
#include "runtime/services.h"

namespace wasi::runtime {

extern "C" [[gnu::visibility("hidden"), gnu::used]] void wasirun_check_stack(VmContext* vm) {
  services::check_stack(vm);
}

#if defined(__x86_64__)
// Without AVX there are no upper halves that anybody could have.
extern "C" {
[[gnu::visibility("hidden"), gnu::used]] bool wasirun_has_avx = __builtin_cpu_supports("avx");
}
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
  pushq %rax
  pushq %rcx
  pushq %rdx
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  subq $512, %rsp
  andq $-32, %rsp
  cmpb $0, wasirun_has_avx(%rip)
  je .Lwasirun_poll_without_avx
  vmovaps %ymm0, (%rsp)
  vmovaps %ymm1, 32(%rsp)
  vmovaps %ymm2, 64(%rsp)
  vmovaps %ymm3, 96(%rsp)
  vmovaps %ymm4, 128(%rsp)
  vmovaps %ymm5, 160(%rsp)
  vmovaps %ymm6, 192(%rsp)
  vmovaps %ymm7, 224(%rsp)
  vmovaps %ymm8, 256(%rsp)
  vmovaps %ymm9, 288(%rsp)
  vmovaps %ymm10, 320(%rsp)
  vmovaps %ymm11, 352(%rsp)
  vmovaps %ymm12, 384(%rsp)
  vmovaps %ymm13, 416(%rsp)
  vmovaps %ymm14, 448(%rsp)
  vmovaps %ymm15, 480(%rsp)
  vzeroupper
  callq wasirun_check_stack
  vmovaps (%rsp), %ymm0
  vmovaps 32(%rsp), %ymm1
  vmovaps 64(%rsp), %ymm2
  vmovaps 96(%rsp), %ymm3
  vmovaps 128(%rsp), %ymm4
  vmovaps 160(%rsp), %ymm5
  vmovaps 192(%rsp), %ymm6
  vmovaps 224(%rsp), %ymm7
  vmovaps 256(%rsp), %ymm8
  vmovaps 288(%rsp), %ymm9
  vmovaps 320(%rsp), %ymm10
  vmovaps 352(%rsp), %ymm11
  vmovaps 384(%rsp), %ymm12
  vmovaps 416(%rsp), %ymm13
  vmovaps 448(%rsp), %ymm14
  vmovaps 480(%rsp), %ymm15
.Lwasirun_poll_registers:
  leaq -64(%rbp), %rsp
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rdx
  popq %rcx
  popq %rax
  popq %rbp
  .cfi_def_cfa %rsp, 8
  ret
.Lwasirun_poll_without_avx:
  .cfi_def_cfa %rbp, 16
  movaps %xmm0, (%rsp)
  movaps %xmm1, 16(%rsp)
  movaps %xmm2, 32(%rsp)
  movaps %xmm3, 48(%rsp)
  movaps %xmm4, 64(%rsp)
  movaps %xmm5, 80(%rsp)
  movaps %xmm6, 96(%rsp)
  movaps %xmm7, 112(%rsp)
  movaps %xmm8, 128(%rsp)
  movaps %xmm9, 144(%rsp)
  movaps %xmm10, 160(%rsp)
  movaps %xmm11, 176(%rsp)
  movaps %xmm12, 192(%rsp)
  movaps %xmm13, 208(%rsp)
  movaps %xmm14, 224(%rsp)
  movaps %xmm15, 240(%rsp)
  callq wasirun_check_stack
  movaps (%rsp), %xmm0
  movaps 16(%rsp), %xmm1
  movaps 32(%rsp), %xmm2
  movaps 48(%rsp), %xmm3
  movaps 64(%rsp), %xmm4
  movaps 80(%rsp), %xmm5
  movaps 96(%rsp), %xmm6
  movaps 112(%rsp), %xmm7
  movaps 128(%rsp), %xmm8
  movaps 144(%rsp), %xmm9
  movaps 160(%rsp), %xmm10
  movaps 176(%rsp), %xmm11
  movaps 192(%rsp), %xmm12
  movaps 208(%rsp), %xmm13
  movaps 224(%rsp), %xmm14
  movaps 240(%rsp), %xmm15
  jmp .Lwasirun_poll_registers
  .cfi_endproc
  .size wasirun_check_stack_only, .-wasirun_check_stack_only
)");
#else
// There is no machine code for other processors.
void wasi::runtime::check_stack_only(VmContext*) { WASI_CHECK(false); }
#endif
