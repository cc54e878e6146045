#include "runtime/register_entry.h"

#include <cstddef>

#include "runtime/code_entry.h"
#include "runtime/thread_state.h"
#include "runtime/vmcontext.h"

namespace wasi::runtime {

namespace {

// Any arguments, no results.
void refuse() {}

}  // namespace

// Nobody writes it.
constinit detail::CallGate refusing_gate{.enter = &refuse, .outcome = detail::CallOutcome::refused};

#if defined(WASI_ENTRY_WITH_SETJMP)

detail::CallGate& gate_of(OutermostEntry& /*outermost*/) { return refusing_gate; }

#else

// The place of OutermostEntry::entry, whose struct is of no standard layout.
constexpr std::size_t kEntry = sizeof(NativeSpan);
static_assert(sizeof(OutermostEntry) == kEntry + sizeof(HostEntry));
static_assert(static_cast<int>(detail::CallOutcome::done) == 0 &&
              static_cast<int>(detail::CallOutcome::finished) == 1 &&
              static_cast<int>(detail::CallOutcome::stopped) == 2 &&
              static_cast<int>(detail::CallOutcome::refused) == 3);

// Takes a FuncRef in rdi. rsi, rdx, rcx, r8, r9 and xmm0 to xmm7 may be arguments, and rax, rdx, xmm0, xmm1 results.
// The preserved registers lie as wasirun_leave_guest wants them (host_entry.cc). rbx is the ExecState, r12 where
// thread_state is, r14 the OutermostEntry: across the call, too, behind which the host may be on another thread.
extern "C" [[gnu::naked, gnu::visibility("hidden")]] void wasirun_enter_with_registers() {
  asm volatile(
      R"(
  pushq %%rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %%rbp, -16
  movq %%rsp, %%rbp
  .cfi_def_cfa_register %%rbp
  pushq %%rbx
  .cfi_offset %%rbx, -24
  pushq %%r12
  .cfi_offset %%r12, -32
  pushq %%r13
  .cfi_offset %%r13, -40
  pushq %%r14
  .cfi_offset %%r14, -48
  pushq %%r15
  .cfi_offset %%r15, -56
  subq $8, %%rsp

  movq %c[code](%%rdi), %%r10
  movq %c[instance](%%rdi), %%rdi
  movq %c[exec](%%rdi), %%rbx
  movq _ZN4wasi7runtime12thread_stateE@gottpoff(%%rip), %%r12
  movq %c[native_entry](%%r10), %%rax
  movq %c[outermost](%%rbx), %%r14
  movq %%fs:%c[stack_number](%%r12), %%r11
  movq %%rsp, %%r13
  subq %%fs:%c[native_limit](%%r12), %%r13
  testq %%rax, %%rax
  jz .Lwasirun_refuse
  cmpq %%r11, %c[ready_stack](%%rbx)
  jne .Lwasirun_refuse
  cmpq %%fs:%c[guest_bytes](%%r12), %%r13
  jae .Lwasirun_refuse
  cmpq $0, %%fs:%c[running](%%r12)
  jne .Lwasirun_refuse

  movq %%rbp, %c[frame](%%r14)
  movq %%rbp, %c[entry_frame](%%r14)
  leaq %c[entry](%%r14), %%r11
  movq %%r14, %c[native_span](%%rbx)
  movq %%r14, %c[top](%%rbx)
  movq %%r11, %c[host_entry](%%rbx)
  movq %%rbx, %%fs:%c[running](%%r12)
  callq *%%rax
  xorl %%r11d, %%r11d
  movq %c[thrown](%%rbx), %%r10
  movq %%r11, %c[native_span](%%rbx)
  movq %%r11, %c[top](%%rbx)
  movq %%r11, %c[host_entry](%%rbx)
  movq %%r11, %%fs:%c[running](%%r12)
  orq %c[last_deed](%%rbx), %%r10
  jnz .Lwasirun_not_plain
.Lwasirun_leave:
  movq -8(%%rbp), %%rbx
  movq -16(%%rbp), %%r12
  movq -24(%%rbp), %%r13
  movq -32(%%rbp), %%r14
  leave
  .cfi_remember_state
  .cfi_def_cfa %%rsp, 8
  retq
  .cfi_restore_state
.Lwasirun_refuse:
  movl $3, %c[outcome](%%r14)
  jmp .Lwasirun_leave
.Lwasirun_not_plain:
  movl $1, %c[outcome](%%r14)
  cmpq $0, %c[thrown](%%rbx)
  je .Lwasirun_leave
  movl $2, %c[outcome](%%r14)
  jmp .Lwasirun_leave
)"
      :
      : [code] "i"(offsetof(FuncRef, code)), [instance] "i"(offsetof(FuncRef, instance)),
        [exec] "i"(offsetof(VmContext, exec)), [native_entry] "i"(offsetof(FunctionCode, native_entry)),
        [outermost] "i"(offsetof(ExecState, outermost)), [ready_stack] "i"(offsetof(ExecState, ready_stack)),
        [native_span] "i"(offsetof(ExecState, native_span)), [top] "i"(offsetof(ExecState, top)),
        [host_entry] "i"(offsetof(ExecState, host_entry)), [thrown] "i"(offsetof(ExecState, thrown)),
        [last_deed] "i"(offsetof(ExecState, last_deed)), [running] "i"(offsetof(ThreadState, running)),
        [stack_number] "i"(offsetof(ThreadState, stack_number)),
        [native_limit] "i"(offsetof(ThreadState, native_limit)), [guest_bytes] "i"(offsetof(ThreadState, guest_bytes)),
        [frame] "i"(kEntry + offsetof(HostEntry, frame)), [entry] "i"(kEntry),
        [outcome] "i"(kEntry + offsetof(HostEntry, gate) + offsetof(detail::CallGate, outcome)),
        [entry_frame] "i"(sizeof(Frame) + offsetof(SpanLinks, entry_frame)));
}

detail::CallGate& gate_of(OutermostEntry& outermost) {
  outermost.entry.gate.enter = &wasirun_enter_with_registers;
  return outermost.entry.gate;
}

#endif

}  // namespace wasi::runtime
