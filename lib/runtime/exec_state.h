// The state of execution in one store: its Wasm stack, its newest frame, its wish to be interrupted.
//
// One thread at a time runs a store; `interrupt` alone may be written from others.
#pragma once

#include <wasi/trap.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/frame.h"
#include "runtime/gc_heap_cells.h"
#include "runtime/interruption.h"
#include "runtime/parking.h"
#include "runtime/program.h"
#include "runtime/runtime_call_table.h"

namespace wasi::runtime {

class Store;
struct Exception;
struct NativeSpan;  // native_span.h
class Tier;
class TierPolicy;       // tier_policy.h
struct HostEntry;       // host_entry.h: the innermost entry from the host
struct OutermostEntry;  // register_entry.h

inline constexpr std::uint64_t kNoReadyStack = UINT64_MAX;

struct ExecState {
  Frame* top = nullptr;         // newest record
  std::uint32_t budget = 0;     // of calls and branches back of interpreted code (budget.h), while none runs
  Slot* stack_begin = nullptr;  // null before the first call
  Slot* stack_end = nullptr;    // slots may be used up to here; entries check it
  // Where a nested call from the host may lay its arguments: the first slot that no call in progress uses.
  // Only host function entries (and Store::call) write it, so calls between Wasm functions do not: whoever
  // calls a SlotEntry passes `slots` at or above all of its own live slots, and the entry of a host
  // function takes what lies behind its parameters and results for free.
  Slot* free_slot = nullptr;
  // Machine code: the newest run of its frames, and the stack pointer at its newest call of anything else. In older
  // runs that pointer is kept (native_span.h).
  const RuntimeCall* calls = kRuntimeCalls;
  NativeSpan* native_span = nullptr;
  std::uintptr_t native_sp = 0;
  // Where the newest native frame faulted, and its rbp; 0 while it stands at a call.
  std::uintptr_t native_fault_pc = 0;
  std::uintptr_t native_fault_frame = 0;
  std::uintptr_t native_limit = 0;  // the native stack pointer must stay above it; set at each entry
  // What machine code compares its stack pointer with, at entries and loops: native_limit, or kRaisedStackLimit from
  // the moment that bits of `interrupt` are set until its thread looks at them (interruption.h).
  std::atomic<std::uintptr_t> stack_limit{0};
  // The exception that a function which has just returned to its caller threw and did not catch (code_entry.h);
  // `pending` is then what the host gets if nobody does. Or kTailCall, between interpreted code and the adapter that
  // machine code entered it by (native_unwind.h).
  Exception* thrown = nullptr;
  // Where machine code calls functions whose native_entry is null: native_bind.h. It asks the tier.
  const void* bind_native_entry = nullptr;
  std::int64_t fuel = 0;  // what code that charges may still execute: below 0 it traps
  // Bits of interruption.h. Non-zero: polls at loop heads and entries, and around host functions, call
  // handle_interrupt. Set by runtime::interrupt().
  std::atomic<std::uint32_t> interrupt{0};
  FunctionCode* tail_callee = nullptr;  // with kTailCall
  VmContext* tail_instance = nullptr;   // the callee's
  const void* tail_entry = nullptr;     // Tier::tail_entry of the callee
  TierPolicy* policy = nullptr;  // of the instances: an engine's stores have one; null: functions stay in the tier that
                                 // they were prepared for
  std::uint32_t sampling_state = 1;  // of the numbers that vary the budget
  HostEntry* host_entry = nullptr;
  GcState gc;
  Store* store = nullptr;
  Tier* native_tier = nullptr;             // of the instances: an engine's stores have one; bind_native_entry asks it
  std::optional<Deadline> deadline;        // the earlier of the two below; blocking host calls wait no longer
  std::optional<Deadline> own_deadline;    // that the embedder set
  std::optional<Deadline> outer_deadline;  // of the stores whose host functions wait for this one
  NestedCall* nested = nullptr;            // calls into other stores, innermost first; interruption.cc has the lock
  bool is_watched = false;                 // the watchdog knows of own_deadline
  bool is_outer_watched = true;            // and of outer_deadline
  std::shared_ptr<Program> program;        // that the store runs with others; null: alone
  Parker parker;                           // where memory.atomic.wait sleeps
  Trap pending;                            // the trap on its way to the host entry
  // What a call that succeeds does last, where it is set: when the store's owner has let go of it during a call, or the
  // collector has found objects of the host dead. A call that traps leaves it to whoever takes the trap.
  void (*last_deed)(void* owner) = nullptr;
  void* owner = nullptr;
  // Where thread_state.running lies from each thread's pointer on: what machine code calls directly writes it at its
  // end.
  std::ptrdiff_t running_offset = 0;
  // The frame of machine code that calls a function of the host directly, when that begins; and where such a function
  // would have returned to, between its return and the landing of the exception that it threw (host_function.h), else
  // 0.
  const void* direct_caller_frame = nullptr;
  std::uintptr_t direct_return = 0;
  OutermostEntry* outermost = nullptr;  // the store's
  // The ThreadState::stack_number with which an outermost call has been made that may be made again without a look at
  // anything else: that stack has room, and its thread is ready for faults where the store needs it.
  std::uint64_t ready_stack = kNoReadyStack;
  // The ring of stores that a StoreSampler looks at; null: it does not look at this one.
  struct Sampled {
    ExecState* next = nullptr;
    ExecState* previous = nullptr;
  };
  Sampled sampled;
  // With native_fault_pc: what registers held, by their numbers in instruction encodings.
  std::uint64_t native_fault_registers[16] = {};
  // Where machine code that leaves its frame at a loop goes on, and the slots of that frame (services.h, check_stack).
  const void* loop_entry = nullptr;
  std::vector<Slot> loop_slots;
  // Of calls of the host that machine code made lately, where they return to and where their frames have the VmContext:
  // what the code map said when it had removed so many ranges (stack_walk.cc).
  struct KnownCaller {
    std::uintptr_t return_address = 0;
    std::uint64_t removals = 0;
    std::uint32_t context_at = 0;
  };
  mutable KnownCaller known_callers[16];
};

}  // namespace wasi::runtime
