// What machine code calls for what it does not do itself: the rows of runtime_calls.def.
//
// Instructions are functions of one shape, *services*. The operands stand in consecutive slots in the order of the text
// format, the results are put at operands[0..]; a v128 takes two slots, an i32 or f32 leaves the upper half of its slot
// undefined on the way in, on the way out it is 0. `a` and `b` are the immediates in the order of the binary format, of
// the caller's module; runtime_calls.def names them. A type test is a TypeTest's bits (gc_heap_layout.h).
//
// They trap by themselves, in the frame that stands at ExecState::native_sp. What may allocate may collect: references
// that live on stand in the caller's frame.
#pragma once

#include <wasi/trap.h>

#include <cstdint>
#include <optional>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/runtime_call_table.h"
#include "runtime/vmcontext.h"
#include "wasm/opcodes.h"

namespace wasi::runtime::services {

using Service = void(VmContext* vm, Slot* operands, std::uint64_t a, std::uint64_t b);

#define RUNTIME_SERVICE(name) Service name;
#define RUNTIME_ATOMIC(name)
#include "runtime/runtime_calls.def"

template <wasm::Op op>
void atomic_access(VmContext* vm, Slot* operands, std::uint64_t offset, std::uint64_t memory);

// The number of an instruction's service; empty where it has none.
constexpr std::optional<RuntimeCallId> service_of(wasm::Op op) {
  switch (op) {
#define RUNTIME_SERVICE(name) \
  case wasm::Op::name:        \
    return RuntimeCallId::name;
#include "runtime/runtime_calls.def"
    default:
      return std::nullopt;
  }
}

// memmove() and memset() of ranges that were found to be inside of their memories.
void move_bytes(std::uint8_t* to, const std::uint8_t* from, std::uint64_t count);
void fill_bytes(std::uint8_t* to, std::uint32_t value, std::uint64_t count);

[[noreturn]] void trap(VmContext* vm, TrapCode code);

// The stack pointer was below ExecState::stack_limit: traps where the stack has ended or the store has to stop, else it
// may be a sample of the tier policy. Not null, and ExecState::loop_entry: the frame stands at a loop, and the call is
// to go on elsewhere; optimised code need not look.
const void* check_stack(VmContext* vm);

// The frame is left, which has `count` slots: where its call goes on, and where that finds them.
struct LoopExit {
  const Slot* slots;
  const void* entry;
};
LoopExit leave_at_loop(VmContext* vm, const Slot* slots, std::uint32_t count);

// The function that a call_indirect means; traps where there is none of the type. Of the index counts what the table's
// address type says.
FuncRef* resolve_indirect(VmContext* vm, std::uint32_t table, std::uint32_t type, std::uint64_t index);

// Where `size` bytes at index + offset of a memory stand; traps where they are not all inside. Of the index counts what
// the memory's address type says.
std::uint8_t* address_in_memory(VmContext* vm, std::uint64_t index, std::uint64_t offset, std::uint64_t size,
                                std::uint32_t memory);

bool passes_test(VmContext* vm, std::uint64_t reference, std::uint64_t test);

// Memory for an object of a size class whose cursor has no room for it.
std::uint8_t* allocate_cell(VmContext* vm, std::uint64_t bytes);

// Whether the exception on its way is of this tag of the instance.
bool thrown_has_tag(VmContext* vm, std::uint32_t tag);
// Ends its way: puts its values to `slots` if `parts` has bit 0, behind them the exception itself if it has bit 1, and
// the exception to `kept` if that is not null.
void take_thrown(VmContext* vm, Slot* slots, std::uint32_t parts, Slot* kept);

}  // namespace wasi::runtime::services
