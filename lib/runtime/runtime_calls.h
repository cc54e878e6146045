// What running code calls when it cannot go on by itself: traps, polls and the services of the runtime, in every tier.
//
// Never inlined, so that interpreter handlers stay without prologues and spills. Indices are those of the instance's
// module. Operands are slot values in the order of the text format: whole slots where the address type decides what
// counts of them.
#pragma once

#include <wasi/trap.h>

#include <cstdint>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/vmcontext.h"

namespace wasi::runtime::calls {

// Where the newest frame stands, in its tier's terms: what Frame::resume says then.
using TrapSite = const void*;

inline void stand_at(VmContext* vm, TrapSite site) { vm->exec->top->resume = site; }

// Raises the trap in the newest frame.
[[noreturn, gnu::cold, gnu::noinline]] void trap_at(VmContext* vm, TrapSite site, TrapCode code);

// A poll saw ExecState::interrupt: traps, or returns if it was a stale wish.
[[gnu::cold, gnu::noinline]] void poll_slowly(VmContext* vm, TrapSite site);

// The function that a call_indirect means; traps where there is none of the type.
[[gnu::noinline]] FuncRef* resolve_indirect(VmContext* vm, TrapSite site, std::uint32_t table, std::uint32_t type,
                                            std::uint64_t index);

// Bounds-checked in the way that Memory 0's callers cannot: `size` bytes at index + offset of any memory. The index is
// a whole slot, of which the memory's address type decides what counts.
[[gnu::noinline]] std::uint8_t* address_in_memory(VmContext* vm, TrapSite site, std::uint32_t memory,
                                                  std::uint64_t index, std::uint64_t offset, std::uint64_t size);

// The bulk and growing instructions; operands are slot values in the order of the text format, whole slots where the
// address type decides. Growing gives -1 where it fails.
[[gnu::noinline]] std::int64_t memory_grow(VmContext* vm, std::uint32_t memory, std::uint64_t delta);
[[gnu::noinline]] void memory_fill(VmContext* vm, TrapSite site, std::uint32_t memory, std::uint64_t to,
                                   std::uint32_t value, std::uint64_t count);
[[gnu::noinline]] void memory_copy(VmContext* vm, TrapSite site, std::uint32_t memory_to, std::uint32_t memory_from,
                                   std::uint64_t to, std::uint64_t from, std::uint64_t count);
[[gnu::noinline]] void memory_init(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint32_t memory,
                                   std::uint64_t to, std::uint32_t from, std::uint32_t count);
[[gnu::noinline]] void data_drop(VmContext* vm, std::uint32_t segment);
[[gnu::noinline]] void** table_element(VmContext* vm, TrapSite site, std::uint32_t table, std::uint64_t index);
[[gnu::noinline]] std::int64_t table_grow(VmContext* vm, std::uint32_t table, void* init, std::uint64_t delta);
[[gnu::noinline]] void table_fill(VmContext* vm, TrapSite site, std::uint32_t table, std::uint64_t to, void* value,
                                  std::uint64_t count);
[[gnu::noinline]] void table_copy(VmContext* vm, TrapSite site, std::uint32_t table_to, std::uint32_t table_from,
                                  std::uint64_t to, std::uint64_t from, std::uint64_t count);
[[gnu::noinline]] void table_init(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint32_t table,
                                  std::uint64_t to, std::uint32_t from, std::uint32_t count);
[[gnu::noinline]] void elem_drop(VmContext* vm, std::uint32_t segment);
[[gnu::noinline]] FuncRef* ref_func(VmContext* vm, std::uint32_t function);

// --- objects

// Memory for an object of this size, to be written before anything else is allocated.
[[gnu::noinline]] std::uint8_t* allocate_slowly(VmContext* vm, TrapSite site, std::uint64_t bytes);

// With the fields as they lie in slots.
[[gnu::noinline]] Object* struct_new(VmContext* vm, TrapSite site, std::uint32_t type, const Slot* fields);
[[gnu::noinline]] Object* struct_new_default(VmContext* vm, TrapSite site, std::uint32_t type);

// The array with all of these elements.
[[gnu::noinline]] Object& array_at(VmContext* vm, TrapSite site, std::uint64_t reference, std::uint32_t at,
                                   std::uint32_t count);

[[gnu::noinline]] Object* array_new(VmContext* vm, TrapSite site, std::uint32_t type, const Slot* element,
                                    std::uint32_t length);
[[gnu::noinline]] Object* array_new_default(VmContext* vm, TrapSite site, std::uint32_t type, std::uint32_t length);
[[gnu::noinline]] Object* array_new_fixed(VmContext* vm, TrapSite site, std::uint32_t type, const Slot* elements,
                                          std::uint32_t length);
[[gnu::noinline]] Object* array_new_data(VmContext* vm, TrapSite site, std::uint32_t type, std::uint32_t segment,
                                         std::uint32_t offset, std::uint32_t length);
[[gnu::noinline]] Object* array_new_elem(VmContext* vm, TrapSite site, std::uint32_t type, std::uint32_t segment,
                                         std::uint32_t offset, std::uint32_t length);

// `shift`: log2 of an element's bytes. Arrays may be null: that is a trap.
[[gnu::noinline]] void array_fill(VmContext* vm, TrapSite site, std::uint32_t shift, std::uint64_t array,
                                  std::uint32_t at, const Slot* element, std::uint32_t count);
[[gnu::noinline]] void array_copy(VmContext* vm, TrapSite site, std::uint32_t shift, std::uint64_t to,
                                  std::uint32_t to_index, std::uint64_t from, std::uint32_t from_index,
                                  std::uint32_t count);
[[gnu::noinline]] void array_init_data(VmContext* vm, TrapSite site, std::uint32_t shift, std::uint32_t segment,
                                       std::uint64_t array, std::uint32_t at, std::uint32_t offset,
                                       std::uint32_t count);
[[gnu::noinline]] void array_init_elem(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint64_t array,
                                       std::uint32_t at, std::uint32_t offset, std::uint32_t count);

[[gnu::noinline]] bool passes_test(VmContext* vm, std::uint64_t reference, std::uint64_t test);

// --- atomic accesses
//
// Functions of their own in the interpreter, too: a handler is exempt from the thread sanitizer (interp/dispatch.h),
// and these, which order the accesses of threads, must not be. Source:
// https://github.com/WebAssembly/threads/blob/main/proposals/threads/Overview.md

enum class Rmw : std::uint8_t { add, sub, and_, or_, xor_, xchg };

// An access names its index (a whole slot), and where in the code its offset (64 bits) and the number of its memory
// (32) stand, unaligned. All trap when the place is outside of the memory or not aligned. M: std::uint8_t to
// std::uint64_t.
template <class M>
[[gnu::noinline]] M atomic_load(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates);
template <class M>
[[gnu::noinline]] void atomic_store(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates,
                                    M value);
// The old value.
template <Rmw kOperation, class M>
[[gnu::noinline]] M atomic_rmw(VmContext* vm, TrapSite site, std::uint64_t index, const std::uint8_t* immediates,
                               M value);
template <class M>
[[gnu::noinline]] M atomic_compare_exchange(VmContext* vm, TrapSite site, std::uint64_t index,
                                            const std::uint8_t* immediates, M expected, M replacement);

// 0: notified, 1: the value was another, 2: timed out. A negative timeout (nanoseconds) is none. Traps where the
// memory is not shared, and when the store is interrupted meanwhile.
template <class M>
[[gnu::noinline]] std::uint32_t atomic_wait(VmContext* vm, TrapSite site, std::uint64_t index,
                                            const std::uint8_t* immediates, M expected, std::int64_t timeout);
[[gnu::noinline]] std::uint32_t atomic_notify(VmContext* vm, TrapSite site, std::uint64_t index,
                                              const std::uint8_t* immediates, std::uint32_t count);

}  // namespace wasi::runtime::calls
