#include "runtime/native_bind.h"

#include <cstdint>

#include "base/check.h"
#include "runtime/exec_state.h"
#include "runtime/thread_state.h"
#include "runtime/tier.h"

namespace wasi::runtime {

// `instance` is null for functions of the host. Traps where the function cannot be prepared.
extern "C" [[gnu::visibility("hidden"), gnu::used]] NativeEntry wasirun_bind(FunctionCode* code, VmContext* instance,
                                                                             std::uintptr_t stack_pointer) {
  ExecState* const exec = thread_state.running;
  // As if the caller had said so: it did not know that it leaves machine code.
  exec->native_sp = stack_pointer;
  return exec->native_tier->bind_native(*exec, instance, *code);
}

}  // namespace wasi::runtime

#if defined(__x86_64__)
// Behind seven registers and the frame pointer the stack needs 8 bytes more to be a multiple of 16.
asm(R"(
  .text
  .p2align 4
  .hidden wasirun_bind_native_entry
  .globl wasirun_bind_native_entry
  .type wasirun_bind_native_entry, @function
wasirun_bind_native_entry:
  pushq %rbp
  movq %rsp, %rbp
  pushq %rdi
  pushq %rsi
  pushq %rdx
  pushq %rcx
  pushq %r8
  pushq %r9
  pushq %r10
  subq $136, %rsp
  movaps %xmm0, (%rsp)
  movaps %xmm1, 16(%rsp)
  movaps %xmm2, 32(%rsp)
  movaps %xmm3, 48(%rsp)
  movaps %xmm4, 64(%rsp)
  movaps %xmm5, 80(%rsp)
  movaps %xmm6, 96(%rsp)
  movaps %xmm7, 112(%rsp)
  movq %rdi, %rsi
  movq %r10, %rdi
  leaq 16(%rbp), %rdx
  callq wasirun_bind
  movaps (%rsp), %xmm0
  movaps 16(%rsp), %xmm1
  movaps 32(%rsp), %xmm2
  movaps 48(%rsp), %xmm3
  movaps 64(%rsp), %xmm4
  movaps 80(%rsp), %xmm5
  movaps 96(%rsp), %xmm6
  movaps 112(%rsp), %xmm7
  addq $136, %rsp
  popq %r10
  popq %r9
  popq %r8
  popq %rcx
  popq %rdx
  popq %rsi
  popq %rdi
  popq %rbp
  jmpq *%rax
  .size wasirun_bind_native_entry, .-wasirun_bind_native_entry
)");
#else
// There is no machine code for other processors.
void wasi::runtime::bind_native_entry() { WASI_CHECK(false); }
#endif
