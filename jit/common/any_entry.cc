#include "jit/common/any_entry.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "jit/common/native_abi.h"
#include "runtime/exec_state.h"
#include "runtime/host_function.h"
#include "runtime/instance.h"
#include "runtime/native_unwind.h"
#include "runtime/store.h"
#include "runtime/trap_raise.h"

namespace wasi::jit {

using runtime::ExecState;
using runtime::FunctionCode;
using runtime::HostFunction;
using runtime::Slot;
using runtime::VmContext;

namespace {

// As the assembly below has it: registers of arguments, in the convention's order. Results come back in the first two
// of each kind.
struct Registers {
  struct alignas(16) Vector {
    std::uint64_t halves[2];
  };
  Vector vectors[kVectorArguments];
  std::uint64_t integers[5];
};
static_assert(std::size(kIntegerArguments) == 5 && kVectorArguments == 8);
static_assert(offsetof(Registers, integers) == 128 && sizeof(Registers) == 176);

const wasm::FuncType& type_of(VmContext* instance, const FunctionCode& code) {
  if (instance != nullptr) {
    return runtime::Instance::from(instance)->code->module->func_type(wasm::FuncIndex(code.index));
  }
  const auto& function = reinterpret_cast<const HostFunction&>(code);
  return function.store->registry().at(function.type).func;
}

// Calls f(memory of the register, slot, bytes) for each value that has a register. `integer` and `vector` number them.
template <class F>
void for_each_in_register(PlaceAssigner places, const std::vector<wasm::ValType>& types, Registers& registers, F f) {
  std::size_t integer = 0;
  std::size_t vector = 0;
  for (const wasm::ValType type : types) {
    const Place place = places.next(type);
    if (place.bank == Place::Bank::general) f(&registers.integers[integer++], place.slot, sizeof(std::uint64_t));
    if (place.bank == Place::Bank::vector) f(&registers.vectors[vector++], place.slot, place.is_v128 ? 16 : 8);
  }
}

}  // namespace

// True when the callee threw. There is nothing to destroy in it: a trap of the callee passes it.
extern "C" [[gnu::visibility("hidden"), gnu::used]] bool wasirun_run_by_slots(VmContext* instance, FunctionCode* code,
                                                                              Registers* registers,
                                                                              std::uintptr_t stack_pointer) {
  ExecState& exec = instance != nullptr ? *instance->exec : *reinterpret_cast<HostFunction*>(code)->exec;
  // As if the caller had said so: it did not know that it leaves machine code.
  exec.native_sp = stack_pointer;
  Slot* const slots = exec.free_slot;
  const wasm::FuncType& type = type_of(instance, *code);
  // What has no register lies in its slot already.
  for_each_in_register(
      PlaceAssigner::of_params(), type.params, *registers,
      [slots](void* value, std::uint32_t slot, std::size_t bytes) { std::memcpy(slots + slot, value, bytes); });
  const runtime::SlotEntry entry = code->entry.load(std::memory_order_acquire);
  (entry != nullptr ? entry : runtime::prepare_and_run)(instance, slots, code);
  if (exec.thrown != nullptr) return true;
  for_each_in_register(
      PlaceAssigner::of_results(), type.results, *registers,
      [slots](void* value, std::uint32_t slot, std::size_t bytes) { std::memcpy(value, slots + slot, bytes); });
  return false;
}

}  // namespace wasi::jit

#if defined(__x86_64__)
asm(R"(
  .text
  .p2align 4
  .hidden wasirun_any_entry
  .globl wasirun_any_entry
  .type wasirun_any_entry, @function
wasirun_any_entry:
  pushq %rbp
  movq %rsp, %rbp
  subq $176, %rsp
  movaps %xmm0, (%rsp)
  movaps %xmm1, 16(%rsp)
  movaps %xmm2, 32(%rsp)
  movaps %xmm3, 48(%rsp)
  movaps %xmm4, 64(%rsp)
  movaps %xmm5, 80(%rsp)
  movaps %xmm6, 96(%rsp)
  movaps %xmm7, 112(%rsp)
  movq %rsi, 128(%rsp)
  movq %rdx, 136(%rsp)
  movq %rcx, 144(%rsp)
  movq %r8, 152(%rsp)
  movq %r9, 160(%rsp)
  movq %r10, %rsi
  movq %rsp, %rdx
  leaq 16(%rbp), %rcx
  callq wasirun_run_by_slots
  testb %al, %al
  jne .Lwasirun_any_entry_threw
  movq 128(%rsp), %rax
  movq 136(%rsp), %rdx
  movaps (%rsp), %xmm0
  movaps 16(%rsp), %xmm1
  leave
  retq
.Lwasirun_any_entry_threw:
  leave
  jmp wasirun_unwind_callee
  .size wasirun_any_entry, .-wasirun_any_entry
)");
#else
// There is no machine code for other processors.
void wasi::jit::any_entry() { WASI_CHECK(false); }
#endif
