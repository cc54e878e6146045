// The state of execution in one store: its Wasm stack, its newest frame, its wish to be interrupted.
//
// One thread at a time runs a store; `interrupt` alone may be written from others.
#pragma once

#include <wasi/trap.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/frame.h"
#include "runtime/gc_heap_cells.h"
#include "runtime/parking.h"
#include "runtime/program.h"

namespace wasi::runtime {

class Store;
struct Exception;
struct HostEntry;  // trap_raise.h: the innermost entry from the host

// Bits of ExecState::interrupt: who set it.
inline constexpr std::uint32_t kInterruptDeadline = 1;  // the watchdog: the deadline has passed
inline constexpr std::uint32_t kInterruptRequest = 2;   // Store::interrupt()
inline constexpr std::uint32_t kInterruptEnd = 4;       // Program::end(): for good

struct ExecState {
  Frame* top = nullptr;         // newest record
  Slot* stack_begin = nullptr;  // null before the first call
  Slot* stack_end = nullptr;    // slots may be used up to here; entries check it
  // Where a nested call from the host may lay its arguments: the first slot that no call in progress uses.
  // Only host function entries (and Store::call) write it, so calls between Wasm functions do not: whoever
  // calls a SlotEntry passes `slots` at or above all of its own live slots, and the entry of a host
  // function takes what lies behind its parameters and results for free.
  Slot* free_slot = nullptr;
  std::uintptr_t native_limit = 0;  // the native stack pointer must stay above it; set at each entry
  // kInterruptDeadline, kInterruptRequest, kInterruptEnd. Non-zero: polls at loop heads and entries call
  // handle_interrupt. Set by runtime::interrupt().
  std::atomic<std::uint32_t> interrupt{0};
  HostEntry* host_entry = nullptr;
  GcState gc;
  Store* store = nullptr;
  std::optional<std::chrono::steady_clock::time_point> deadline;  // blocking host calls wait no longer
  std::shared_ptr<Program> program;                               // that the store runs with others; null: alone
  Parker parker;                                                  // where memory.atomic.wait sleeps
  Trap pending;                                                   // the trap on its way to the host entry
  // The exception that a function which has just returned to its caller threw and did not catch (code_entry.h);
  // `pending` is then what the host gets if nobody does.
  Exception* thrown = nullptr;
};

}  // namespace wasi::runtime
