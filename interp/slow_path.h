// What handlers call when they cannot go on by themselves: traps, polls, and the runtime's services.
//
// Never inlined, so that handlers stay without prologues and spills.
#pragma once

#include <cstdint>

#include "interp/record.h"
#include "runtime/code_entry.h"
#include "runtime/vmcontext.h"
#include "wasi/trap.h"

namespace wasi::interp {

// Raises the trap at the instruction at `ip` of the newest frame, which is the interpreter's.
[[noreturn, gnu::cold, gnu::noinline]] void trap_at(const std::uint8_t* ip, runtime::VmContext* vm, TrapCode code);

// A poll saw ExecState::interrupt: traps, or returns if it was a stale wish.
[[gnu::cold, gnu::noinline]] void poll_slowly(const std::uint8_t* ip, runtime::VmContext* vm);

// The call at `ip` of a function that is not known to be ready to be interpreted: runs it when it is of another
// tier or of the host.
enum class CallOutcome : std::uint8_t {
  ready,     // it is ready to be entered now, and has not been run
  returned,  // with its results
  threw,     // ExecState::thrown
};
[[gnu::noinline]] CallOutcome call_slowly(const std::uint8_t* ip, runtime::VmContext* vm, runtime::VmContext* callee_vm,
                                          runtime::FunctionCode* code, runtime::Slot* slots);

// The function that a call_indirect means; traps where there is none of the type.
[[gnu::noinline]] runtime::FuncRef* resolve_indirect(const std::uint8_t* ip, runtime::VmContext* vm,
                                                     std::uint32_t table, std::uint32_t type, std::uint64_t index);

// Bounds-checked in the way that Memory 0's callers cannot: `size` bytes at index + offset of any memory. The index is
// a whole slot, of which the memory's address type decides what counts.
[[gnu::noinline]] std::uint8_t* address_in_memory(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t memory,
                                                  std::uint64_t index, std::uint64_t offset, std::uint64_t size);

// The bulk and growing instructions; operands are slot values in the order of the text format, whole slots where the
// address type decides. Growing gives -1 where it fails.
[[gnu::noinline]] std::int64_t memory_grow(runtime::VmContext* vm, std::uint32_t memory, std::uint64_t delta);
[[gnu::noinline]] void memory_fill(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t memory,
                                   std::uint64_t to, std::uint32_t value, std::uint64_t count);
[[gnu::noinline]] void memory_copy(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t memory_to,
                                   std::uint32_t memory_from, std::uint64_t to, std::uint64_t from,
                                   std::uint64_t count);
[[gnu::noinline]] void memory_init(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t segment,
                                   std::uint32_t memory, std::uint64_t to, std::uint32_t from, std::uint32_t count);
[[gnu::noinline]] void data_drop(runtime::VmContext* vm, std::uint32_t segment);
[[gnu::noinline]] void** table_element(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t table,
                                       std::uint64_t index);
[[gnu::noinline]] std::int64_t table_grow(runtime::VmContext* vm, std::uint32_t table, void* init, std::uint64_t delta);
[[gnu::noinline]] void table_fill(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t table, std::uint64_t to,
                                  void* value, std::uint64_t count);
[[gnu::noinline]] void table_copy(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t table_to,
                                  std::uint32_t table_from, std::uint64_t to, std::uint64_t from, std::uint64_t count);
[[gnu::noinline]] void table_init(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t segment,
                                  std::uint32_t table, std::uint64_t to, std::uint32_t from, std::uint32_t count);
[[gnu::noinline]] void elem_drop(runtime::VmContext* vm, std::uint32_t segment);
[[gnu::noinline]] runtime::FuncRef* ref_func(runtime::VmContext* vm, std::uint32_t function);

}  // namespace wasi::interp
